import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { childrenOf, isAlive } from '@sip-capture/testing/process-state.ts'
import { callIdOf, createHarness, createSender, sendSizes, sipRequest, until } from './harness.ts'

// Others on this machine capture too: what we leave behind is looked for in a folder of our own.
process.env['TMPDIR'] = t.testdir()
const temporary = (): string[] => readdirSync(tmpdir()).filter((name) => name.startsWith('wireshark_'))

t.test('messages on loopback arrive once, byte for byte, with frames, direction and time', async (t) => {
  const harness = await createHarness(t)
  const before = nowMicros()
  const close = await harness.start({ TSHARK_INTERFACE: 'any' })
  const up = await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
  t.match(up, { kind: 'wire', node: 'test-node', subject: /^tshark \d+\.\d+\.\d+ on any$/, gaps: [] })

  const { sender, sent } = await sendSizes(t, harness.port)
  await sender.send(Buffer.from('\r\n\r\n'), harness.port)
  await sender.send(Buffer.from('no SIP'), harness.port)
  await until(async () => (await harness.records()).length >= 4, 'four records')
  await close()

  const records = await harness.records()
  t.equal(records.length, 4)
  t.same(
    records.map(({ payload }) => Buffer.from(payload)),
    [...sent, Buffer.from('no SIP')],
  )
  t.match(records[0], {
    source: 'wire',
    transport: 'UDP',
    src: { address: '127.0.0.1', port: sender.port },
    dst: { address: '127.0.0.1', port: harness.port },
    direction: 'in',
    copies: 1,
    notes: [],
    frames: [{ linkType: 276, interfaceName: 'any' }],
  })
  t.match(records[2], { src: { address: '::1' }, dst: { address: '::1' } })
  t.same(records[3]?.notes, ['not-sip'])
  t.ok(records.every(({ atMicros }) => atMicros >= before && atMicros <= nowMicros()))
  t.equal(new Set(records.map(({ id }) => id)).size, 4)
  const last = await harness.status()
  t.match(last?.counters, { keepAlives: 1, notSip: 1, published: 4, dropped: 0, duplicates: 0 })
  t.equal(last?.lastMessageAtMicros, records[3]?.atMicros)
})

t.test(
  'kill -9 of tshark: it runs again, the gap is told, nothing comes twice, no dumpcap stays behind',
  async (t) => {
    const leftovers = temporary()
    const harness = await createHarness(t)
    const close = await harness.start()
    await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
    const [tshark] = childrenOf(process.pid, 'tshark')
    if (tshark === undefined) throw new Error('no tshark')
    const [dumpcap] = await until(() => {
      const found = childrenOf(tshark, 'dumpcap')
      return found.length > 0 ? found : null
    }, 'dumpcap runs')
    if (dumpcap === undefined) throw new Error('no dumpcap')

    const sender = await createSender(t)
    const sentAt: number[] = []
    let isSending = true
    const traffic = (async () => {
      while (isSending) {
        sentAt.push(nowMicros())
        await sender.send(sipRequest(`k-${sentAt.length - 1}`), harness.port)
        await pause(5)
      }
    })()
    await until(async () => (await harness.records()).length > 20, 'traffic before')
    process.kill(tshark, 'SIGKILL')
    const again = await harness.statusWhere(
      ({ state, gaps }) => state === 'up' && gaps.length === 1,
      'a gap that ended',
    )
    t.match(again, { counters: { restarts: 1 }, gaps: [{ reason: /SIGKILL/ }] })
    await until(() => !isAlive(dumpcap), 'the orphan is gone')
    const sentBefore = sentAt.length
    await until(
      async () => (await harness.records()).some((one) => Number(callIdOf(one).slice(2)) > sentBefore),
      'traffic after',
    )
    isSending = false
    await traffic
    const lastSent = `k-${sentAt.length - 1}`
    await until(
      async () => (await harness.records()).some((one) => callIdOf(one) === lastSent),
      'the last message',
    )
    await close()

    const seen = (await harness.records()).map(callIdOf)
    t.equal(new Set(seen).size, seen.length, 'nothing twice')
    const missing = sentAt.flatMap((at, index) => (seen.includes(`k-${index}`) ? [] : [at]))
    const [gap] = again.gaps
    t.ok(
      missing.every((at) => gap && at >= gap.fromMicros - 5000 && at <= gap.toMicros),
      'what is missing lies in the gap',
    )
    t.same(temporary(), leftovers, 'no temporary file')
    t.same(childrenOf(process.pid, 'tshark'), [])
  },
)

t.test('a killed dumpcap is a failure as well', async (t) => {
  const harness = await createHarness(t)
  await harness.start()
  await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
  const [tshark = 0] = childrenOf(process.pid, 'tshark')
  const [dumpcap = 0] = await until(() => {
    const found = childrenOf(tshark, 'dumpcap')
    return found.length > 0 ? found : null
  }, 'dumpcap runs')
  process.kill(dumpcap, 'SIGKILL')
  const again = await harness.statusWhere(
    ({ state, gaps }) => state === 'up' && gaps.length === 1,
    'capture again',
  )
  t.equal(again.counters['restarts'], 1)
})

t.test('closing ends tshark and dumpcap and hands over what they still had', async (t) => {
  const harness = await createHarness(t)
  const close = await harness.start()
  await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
  const [tshark = 0] = childrenOf(process.pid, 'tshark')
  const [dumpcap = 0] = childrenOf(tshark, 'dumpcap')
  const sender = await createSender(t)
  for (let index = 0; index < 300; index += 1) await sender.send(sipRequest(`c-${index}`), harness.port)
  await close()
  t.equal((await harness.records()).length, 300)
  t.notOk(isAlive(tshark))
  t.notOk(isAlive(dumpcap))
})

t.test('kill -9 of the sidecar itself leaves neither tshark nor dumpcap behind', async (t) => {
  const harness = await createHarness(t)
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const sidecar = spawn(process.execPath, ['--import', 'tsx', main], {
    env: { ...process.env, ...harness.environment },
    stdio: 'ignore',
  })
  t.teardown(() => sidecar.kill('SIGKILL'))
  await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
  const [tshark = 0] = childrenOf(sidecar.pid ?? 0, 'tshark')
  const [dumpcap = 0] = childrenOf(tshark, 'dumpcap')
  t.ok(isAlive(tshark) && isAlive(dumpcap))
  sidecar.kill('SIGKILL')
  await until(() => !isAlive(tshark) && !isAlive(dumpcap), 'both are gone')
})
