import t from 'tap'
import { isAlive } from '@sip-capture/testing/process-state.ts'
import { type SippOptions, type SippResult, runSipp, startSipp } from '../test-pbx/sipp.ts'
import { startTestPbx } from '../test-pbx/test-pbx.ts'

const startLines = (result: SippResult): string[] =>
  result.messages.map(({ direction, text }) =>
    `${direction} ${text.slice(0, text.indexOf('\r\n'))}`.replace(/ sip:.*/, ''),
  )

t.test('a real Asterisk answers real calls', async (t) => {
  const pbx = await startTestPbx()
  t.teardown(() => pbx.stop())
  const trunk = await startSipp({ scenario: 'trunk', address: pbx.trunkAddress, port: pbx.trunkPort })
  t.teardown(() => trunk.stop())
  const call = (options: Partial<SippOptions> & Pick<SippOptions, 'scenario'>): Promise<SippResult> =>
    runSipp({
      address: pbx.phoneAddress,
      remote: { address: pbx.address, port: pbx.sipPort },
      holdMs: 200,
      ...options,
    })
  const fromElsewhere = '127.0.0.4'

  const cases: { name: string; options: Parameters<typeof call>[0]; last: string }[] = [
    { name: 'answered', options: { scenario: 'answered', number: '2100' }, last: 'received SIP/2.0 200 OK' },
    {
      name: 'answered over TCP',
      options: { scenario: 'answered', number: '600', transport: 'tcp' },
      last: 'received SIP/2.0 200 OK',
    },
    { name: 'busy', options: { scenario: 'busy', number: '2486' }, last: 'sent ACK' },
    { name: 'no answer, then CANCEL', options: { scenario: 'no-answer', number: '2480' }, last: 'sent ACK' },
    { name: 'number not found', options: { scenario: 'not-found', number: '9999' }, last: 'sent ACK' },
    { name: 'trunk out of service', options: { scenario: 'unavailable', number: '2503' }, last: 'sent ACK' },
    { name: 'OPTIONS', options: { scenario: 'options' }, last: 'received SIP/2.0 200 OK' },
    {
      name: 'register with a password',
      options: { scenario: 'register', number: '6001', password: 'first-secret', address: fromElsewhere },
      last: 'received SIP/2.0 200 OK',
    },
    {
      name: 'register with a wrong password',
      options: {
        scenario: 'register-wrong-password',
        number: '6002',
        password: 'guess',
        address: fromElsewhere,
      },
      last: 'received SIP/2.0 401 Unauthorized',
    },
  ]
  for (const { name, options, last } of cases) {
    await t.test(name, async (t) => {
      const result = await call(options)
      t.match(result, { callsOk: 1, callsFailed: 0, errors: '' })
      t.equal(startLines(result).at(-1), last)
      const logged = { sent: 0, received: 0 }
      for (const message of result.messages) logged[message.direction] += 1
      t.same(
        logged,
        { sent: result.sent, received: result.received },
        'the log holds what the counters count',
      )
    })
  }

  const far = await trunk.stop()
  t.match(far, { callsOk: 4, callsFailed: 0 }, 'the trunk saw its own leg of every call that reached it')
  t.ok(startLines(far).includes('received CANCEL'))
  t.match(await pbx.cli('pjsip show contacts'), '6001/sip:6001@127.0.0.4', 'the right password registered')
  t.notMatch(await pbx.cli('pjsip show contacts'), '6002/sip:', 'the wrong one did not')
})

t.test('several Asterisks run side by side and HEP is on only where asked for', async (t) => {
  const pbxs = await Promise.all([startTestPbx(), startTestPbx({ hep: { host: '127.0.0.1', port: 9 } })])
  for (const pbx of pbxs) t.teardown(() => pbx.stop())
  const [plain, hep] = pbxs
  t.match(await plain.cli('module show like res_hep_pjsip'), 'Not Running')
  t.notMatch(await hep.cli('module show like res_hep_pjsip'), 'Not Running')
  t.not(plain.sipPort, hep.sipPort)

  const before = hep.pid
  await hep.restart()
  t.not(hep.pid, before)
  t.match(await hep.cli('core show version'), 'Asterisk 22')
  const hepPid = hep.pid
  await hep.stop()
  t.notOk(isAlive(hepPid), 'gone after stop')
})
