import t from 'tap'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { encodeBatch } from '@sip-capture/contract/codec.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { callIdOf, createHarness, keys, sipRequest, until, type Harness } from './harness.ts'
import { createNetwork, pbxAddress, phoneAddress, type TestNetwork } from './network.ts'

const sizes = [400, 4000, 20_000]
const messages = sizes.map((size) => sipRequest(`size-${size}`, { method: 'INVITE', body: 'x'.repeat(size) }))

/** Tells the sidecar who the PBX is, as a bridge does. */
async function tellOwnAddresses(harness: Harness): Promise<void> {
  const directory: EndpointDirectory = {
    v: 1,
    node: 'test-node',
    atMicros: nowMicros(),
    endpoints: [],
    ownAddresses: [
      { address: pbxAddress[4], port: 5060 },
      { address: pbxAddress[6], port: 5060 },
    ],
  }
  await harness.redis.xadd(keys.endpoints, '*', ...encodeBatch([directory]))
}

const programs = ['libpcap', 'tshark'] as const

/** Captures where the network has its PBX or its bridge; answers how to end it. */
async function capture(
  program: (typeof programs)[number],
  { harness, network }: { harness: Harness; network: TestNetwork },
  env: Record<string, string>,
): Promise<() => Promise<void>> {
  const close =
    program === 'tshark'
      ? await harness.start({ TSHARK_COMMAND: network.tshark, ...env })
      : harness.startProcess(network.prefix, env).close
  // A link that was switched on just now is told to be down for a while.
  const up = await harness.statusWhere(({ state }) => state === 'up' || state === 'degraded', 'it captures')
  if (!up.subject.startsWith(program)) throw new Error(`${up.subject} captures`)
  return close
}

for (const program of programs) {
  for (const name of ['eth0', 'any']) {
    t.test(
      `${program}: big messages over IPv4 and IPv6 are whole, with all their frames, on ${name} (C11)`,
      async (t) => {
        const network = createNetwork(t, { withBridge: false })
        const harness = await createHarness(t)
        await tellOwnAddresses(harness)
        const close = await capture(
          program,
          { harness, network },
          { TSHARK_INTERFACE: name, TSHARK_PORT: '5060' },
        )
        network.send(4, 5060, messages)
        network.send(6, 5060, messages)
        await until(async () => (await harness.records()).length >= 6, 'six records')
        await close()
        const records = await harness.records()
        t.same(
          records.map(({ payload }) => Buffer.from(payload)),
          [...messages, ...messages],
        )
        for (const [index, record] of records.entries()) {
          const version = index < 3 ? 4 : 6
          t.match(record, {
            src: { address: phoneAddress[version], port: 5060 },
            dst: { address: pbxAddress[version], port: 5060 },
            direction: 'in',
            copies: 1,
            notes: index % 3 === 0 ? [] : ['reassembled'],
          })
          const frameCount = [1, 3, 14][index % 3] ?? 0
          t.equal(record.frames.length, frameCount, `${callIdOf(record)} over IPv${version}`)
        }
        t.match((await harness.status())?.counters, {
          fragmentsReassembled: 4,
          fragmentsIncomplete: 0,
          duplicates: 0,
        })
      },
    )
  }

  t.test(
    `${program}: a bridge shows every packet twice on any: each message is stored once and counts its copies`,
    async (t) => {
      const network = createNetwork(t, { withBridge: true })
      const harness = await createHarness(t)
      const close = await capture(
        program,
        { harness, network },
        { TSHARK_INTERFACE: 'any', TSHARK_PORT: '5060' },
      )
      const retransmitted = sipRequest('again')
      network.send(4, 5060, [...messages, retransmitted, retransmitted])
      network.send(6, 5060, messages)
      await until(async () => (await harness.records()).length >= 8, 'eight records')
      await close()
      const records = await harness.records()
      t.same(
        records.map(callIdOf),
        ['size-400', 'size-4000', 'size-20000', 'again', 'again', 'size-400', 'size-4000', 'size-20000'],
        'a retransmission is not swallowed',
      )
      const status = await harness.status()
      t.equal(status?.counters['duplicates'], 2 * (1 + 3 + 14) + 2)
      t.match(status?.counters, { fragmentsIncomplete: 0, fragmentsReassembled: 4 })
      t.ok(
        records.every(({ direction }) => direction === 'unknown'),
        'neither side is this machine',
      )
    },
  )

  t.test(
    `${program}: an interface that disappears is a failure, and capture goes on when it is back`,
    async (t) => {
      const network = createNetwork(t, { withBridge: false })
      network.ip('link', 'add', 'extra0', 'type', 'bridge')
      network.ip('link', 'set', 'extra0', 'up')
      const harness = await createHarness(t)
      await capture(program, { harness, network }, { TSHARK_INTERFACE: 'extra0' })
      network.ip('link', 'del', 'extra0')
      const failed = await harness.statusWhere(({ state }) => state === 'failed', 'failed')
      t.match(failed.detail, /extra0/)
      t.equal(failed.gaps.length, 1)
      network.ip('link', 'add', 'extra0', 'type', 'bridge')
      network.ip('link', 'set', 'extra0', 'up')
      const up = await harness.statusWhere(({ state }) => state === 'up', 'up again')
      t.equal(up.gaps.length, 1)
    },
  )

  t.test(`${program}: several interfaces at once, each with its name`, async (t) => {
    const network = createNetwork(t, { withBridge: true })
    const harness = await createHarness(t)
    const close = await capture(
      program,
      { harness, network },
      { TSHARK_INTERFACE: 'p0,p1', TSHARK_PORT: '5060' },
    )
    network.send(4, 5060, messages)
    await until(async () => (await harness.records()).length >= 3, 'three records')
    await close()
    const records = await harness.records()
    t.same(records.map(callIdOf), ['size-400', 'size-4000', 'size-20000'])
    const names = records.flatMap(({ frames }) => frames.map(({ interfaceName }) => interfaceName))
    t.ok(names.every((name) => name === 'p0' || name === 'p1'))
    t.equal((await harness.status())?.counters['duplicates'], 1 + 3 + 14, 'the other interface saw all, too')
  })

  t.test(
    `${program}: an interface on which no VLAN can be is captured on without asking for one`,
    async (t) => {
      const network = createNetwork(t, { withBridge: false })
      network.ip('tuntap', 'add', 'dev', 'tunnel0', 'mode', 'tun')
      network.ip('link', 'set', 'tunnel0', 'up')
      const harness = await createHarness(t)
      await capture(program, { harness, network }, { TSHARK_INTERFACE: 'tunnel0' })
      t.equal((await harness.status())?.counters['restarts'], 0)
    },
  )
}
