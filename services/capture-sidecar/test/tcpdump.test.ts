import t from 'tap'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { childrenOf, isAlive } from '@sip-capture/testing/process-state.ts'
import { createHarness, sendSizes, until } from './harness.ts'

for (const name of ['lo', 'any'])
  t.test(`tcpdump on ${name}: messages arrive once, byte for byte, with frames and time`, async (t) => {
    const harness = await createHarness(t)
    const before = nowMicros()
    const close = await harness.start({ TSHARK_COMMAND: 'tcpdump', TSHARK_INTERFACE: name })
    const up = await harness.statusWhere(({ state }) => state === 'up', 'tcpdump captures')
    t.match(up, { subject: new RegExp(`^tcpdump \\d+\\.\\d+\\.\\d+ on ${name}$`), gaps: [] })
    const { sender, sent } = await sendSizes(t, harness.port)
    await until(async () => (await harness.records()).length >= 3, 'three records')
    await close()

    const records = await harness.records()
    t.same(
      records.map(({ payload }) => Buffer.from(payload)),
      sent,
    )
    t.match(records[0], {
      source: 'wire',
      src: { address: '127.0.0.1', port: sender.port },
      dst: { address: '127.0.0.1', port: harness.port },
      direction: 'in',
      copies: 1,
      notes: [],
      frames: [{ linkType: name === 'any' ? 276 : 1 }],
    })
    t.ok(records.every(({ atMicros }) => atMicros >= before && atMicros <= nowMicros()))
    t.ok(
      records.some(({ nanos }) => nanos > 0),
      'stamps are of nanoseconds',
    )
    t.match(await harness.status(), { counters: { kernelDropped: 0, published: 3 } })
  })

t.test('kill -9 of tcpdump: it runs again and the gap is told', async (t) => {
  const harness = await createHarness(t)
  await harness.start({ TSHARK_COMMAND: 'tcpdump' })
  await harness.statusWhere(({ state }) => state === 'up', 'tcpdump captures')
  const [tcpdump] = childrenOf(process.pid, 'tcpdump')
  if (tcpdump === undefined) throw new Error('no tcpdump')
  process.kill(tcpdump, 'SIGKILL')
  await until(() => !isAlive(tcpdump), 'it is gone')
  const again = await harness.statusWhere(
    ({ state, gaps }) => state === 'up' && gaps.length === 1,
    'a gap that ended',
  )
  t.match(again.gaps, [{ reason: /^tcpdump on lo ended by signal SIGKILL/ }])
})

t.test('what tcpdump refuses is told by the setting that says it', async (t) => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ TSHARK_FILTER: 'udp prot 5' }, /^TSHARK_FILTER: tcpdump refuses the filter: .*syntax error/],
    [{ TSHARK_INTERFACE: 'nosuch0' }, /^TSHARK_INTERFACE: there is no interface nosuch0/],
    [
      { TSHARK_COMMAND: '/nonexistent/tcpdump' },
      /^TSHARK_COMMAND: "\/nonexistent\/tcpdump": there is no such program; install tcpdump/,
    ],
  ]
  for (const [env, detail] of cases) {
    const harness = await createHarness(t)
    const close = await harness.start({ TSHARK_COMMAND: 'tcpdump', ...env })
    t.match((await harness.statusWhere(({ state }) => state === 'failed', 'it fails')).detail, detail)
    await close()
  }
  const harness = await createHarness(t)
  await t.rejects(
    harness.start({ TSHARK_COMMAND: '/usr/bin/tcpdump', TSHARK_INTERFACE: 'lo,eth0' }),
    /^TSHARK_INTERFACE: tcpdump \(TSHARK_COMMAND\) captures on one interface: name one, or any/,
  )
})
