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

interface Program {
  readonly command: string
  /** As the system lists it. */
  readonly process: string
  /** What fetches the packets: it, or a child of it. */
  readonly fetcher: string
  readonly name: string
}

const programs: readonly Program[] = [
  { command: 'auto', process: 'packet-reader', fetcher: 'packet-reader', name: 'libpcap' },
  { command: 'tshark', process: 'tshark', fetcher: 'dumpcap', name: 'tshark' },
]

/** The program that a sidecar runs, and what fetches packets for it. */
function runningProgram(parent: number, program: Program): Promise<{ own: number; fetcher: number }> {
  return until(() => {
    const [own] = childrenOf(parent, program.process)
    if (own === undefined) return null
    const [fetcher] = program.fetcher === program.process ? [own] : childrenOf(own, program.fetcher)
    return fetcher === undefined ? null : { own, fetcher }
  }, `${program.process} runs`)
}

for (const program of programs) {
  t.test(
    `${program.name}: messages on loopback arrive once, byte for byte, with frames, direction and time`,
    async (t) => {
      const harness = await createHarness(t)
      const before = nowMicros()
      const close = await harness.start({ TSHARK_COMMAND: program.command, TSHARK_INTERFACE: 'any' })
      const up = await harness.statusWhere(({ state }) => state === 'up', 'it captures')
      t.match(up, {
        kind: 'wire',
        node: 'test-node',
        subject: new RegExp(`^${program.name} \\d+\\.\\d+\\.\\d+ on any$`),
        gaps: [],
      })

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
      t.ok(
        records.some(({ nanos }) => nanos > 0),
        'stamps are of nanoseconds',
      )
      const last = await harness.status()
      t.match(last?.counters, { keepAlives: 1, notSip: 1, published: 4, dropped: 0, duplicates: 0 })
      t.equal(last?.lastMessageAtMicros, records[3]?.atMicros)
    },
  )

  t.test(
    `kill -9 of ${program.process}: it runs again, the gap is told, nothing comes twice, no ${program.fetcher} stays behind`,
    async (t) => {
      const leftovers = temporary()
      const harness = await createHarness(t)
      const close = await harness.start({ TSHARK_COMMAND: program.command })
      await harness.statusWhere(({ state }) => state === 'up', 'it captures')
      const { own, fetcher } = await runningProgram(process.pid, program)

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
      process.kill(own, 'SIGKILL')
      const again = await harness.statusWhere(
        ({ state, gaps }) => state === 'up' && gaps.length === 1,
        'a gap that ended',
      )
      t.match(again, { counters: { restarts: 1 }, gaps: [{ reason: /SIGKILL/ }] })
      await until(() => !isAlive(fetcher), 'no orphan')
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
      t.same(childrenOf(process.pid, program.process), [])
    },
  )

  t.test(`closing ends ${program.process} and hands over what it still had`, async (t) => {
    const harness = await createHarness(t)
    const close = await harness.start({ TSHARK_COMMAND: program.command })
    await harness.statusWhere(({ state }) => state === 'up', 'it captures')
    const { own, fetcher } = await runningProgram(process.pid, program)
    const sender = await createSender(t)
    for (let index = 0; index < 300; index += 1) await sender.send(sipRequest(`c-${index}`), harness.port)
    await close()
    t.equal((await harness.records()).length, 300)
    t.notOk(isAlive(own))
    t.notOk(isAlive(fetcher))
  })

  t.test(`kill -9 of the sidecar itself leaves no ${program.process} behind`, async (t) => {
    const harness = await createHarness(t)
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
    const sidecar = spawn(process.execPath, ['--import', 'tsx', main], {
      env: { ...process.env, ...harness.environment, TSHARK_COMMAND: program.command },
      stdio: 'ignore',
    })
    t.teardown(() => sidecar.kill('SIGKILL'))
    await harness.statusWhere(({ state }) => state === 'up', 'it captures')
    const { own, fetcher } = await runningProgram(sidecar.pid ?? 0, program)
    t.ok(isAlive(own) && isAlive(fetcher))
    sidecar.kill('SIGKILL')
    await until(() => !isAlive(own) && !isAlive(fetcher), 'all are gone')
  })
}

t.test('a killed dumpcap is a failure as well', async (t) => {
  const harness = await createHarness(t)
  await harness.start({ TSHARK_COMMAND: 'tshark' })
  await harness.statusWhere(({ state }) => state === 'up', 'it captures')
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
