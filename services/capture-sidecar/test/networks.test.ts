import t from 'tap'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { encodeBatch } from '@sip-capture/contract/codec.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { callIdOf, createHarness, keys, sipRequest, until, type Harness } from './harness.ts'
import { createNetwork, pbxAddress, phoneAddress } from './network.ts'

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

for (const name of ['eth0', 'any']) {
  t.test(`big messages over IPv4 and IPv6 are whole, with all their frames, on ${name} (C11)`, async (t) => {
    const network = createNetwork(t, { withBridge: false })
    const harness = await createHarness(t)
    await tellOwnAddresses(harness)
    const close = await harness.start({
      TSHARK_COMMAND: network.tshark,
      TSHARK_INTERFACE: name,
      TSHARK_PORT: '5060',
    })
    await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
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
  })
}

t.test(
  'a bridge shows every packet twice on `any`: each message is stored once and counts its copies',
  async (t) => {
    const network = createNetwork(t, { withBridge: true })
    const harness = await createHarness(t)
    const close = await harness.start({
      TSHARK_COMMAND: network.tshark,
      TSHARK_INTERFACE: 'any',
      TSHARK_PORT: '5060',
    })
    await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
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

t.test('an interface that disappears is a failure, and capture goes on when it is back', async (t) => {
  const network = createNetwork(t, { withBridge: false })
  network.ip('link', 'add', 'extra0', 'type', 'bridge')
  network.ip('link', 'set', 'extra0', 'up')
  const harness = await createHarness(t)
  await harness.start({ TSHARK_COMMAND: network.tshark, TSHARK_INTERFACE: 'extra0' })
  await harness.statusWhere(({ state }) => state === 'up', 'tshark captures')
  network.ip('link', 'del', 'extra0')
  const failed = await harness.statusWhere(({ state }) => state === 'failed', 'failed')
  t.match(failed.detail, /extra0/)
  t.equal(failed.gaps.length, 1)
  network.ip('link', 'add', 'extra0', 'type', 'bridge')
  network.ip('link', 'set', 'extra0', 'up')
  const up = await harness.statusWhere(({ state }) => state === 'up', 'up again')
  t.equal(up.gaps.length, 1)
})
