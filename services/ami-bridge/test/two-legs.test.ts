import t from 'tap'
import { runSipp, startSipp, type SippMessage } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { bridgeEnvironment, createBusReader, startTestBridge, until } from './running-bridge.ts'

const calls = 200

t.test(
  '200 calls through two legs of a stock Asterisk: every message once, by nothing but an AMI login',
  async (t) => {
    const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
    const bus = createBusReader(redis.url)
    const live: string[] = []
    const subscriber = bus.redis.duplicate()
    await subscriber.subscribe(bus.keys.traffic)
    subscriber.on('message', (_channel, text: string) => live.push(text))
    const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
    t.teardown(async () => {
      await bridge.close()
      subscriber.disconnect()
      bus.close()
      await Promise.all([pbx.stop(), redis.stop()])
    })
    await until('the history tap reads', () => bridge.status.state === 'up')
    t.equal(bridge.status.tap, 'history')

    const { phone, trunk } = await twoLegCalls(pbx)
    t.equal(phone.callsOk, calls)
    const expected = phone.sent + phone.received + trunk.sent + trunk.received
    t.ok(expected >= calls * 12, `SIPp counted ${expected} messages`)

    await until('all messages are on the bus', async () => (await bus.records()).length >= expected)
    const records = await bus.records()
    t.equal(records.length, expected, 'as many as SIPp counted')
    t.equal(new Set(records.map((record) => record.id)).size, expected, 'no id twice')
    t.same(tally(records.map((record) => record.payload)), tallySipp(phone.messages, trunk.messages))
    t.ok(records.every((record) => record.source === 'ami-history'))
    t.ok(
      records.every((record) => record.direction !== 'unknown' && record.src.port > 0 && record.dst.port > 0),
      'both addresses are filled in',
    )
    const own = { address: pbx.address, port: pbx.sipPort }
    t.ok(records.every((record) => isSame(record.direction === 'in' ? record.dst : record.src, own)))
    t.ok(
      records.every((record, i) => i === 0 || record.atMicros >= (records[i - 1]?.atMicros ?? 0)),
      'dated in their order',
    )
    await until('live as many', () => live.length >= expected)
    t.equal(live.length, expected)

    const events = await until('all legs ended', async () => {
      const found = await bus.calls()
      return found.filter((event) => event.kind === 'leg-ended').length >= calls * 2 && found
    })
    const callIds = new Set(records.map((record) => callIdOf(record)))
    const linked = new Map(
      events.flatMap((event) => (event.kind === 'leg-linked' ? [[event.callId, event.linkedid]] : [])),
    )
    t.equal(callIds.size, calls * 2)
    t.equal(
      [...callIds].filter((callId) => linked.has(callId)).length,
      calls * 2,
      'every Call-ID has its channel',
    )
    t.equal(new Set(linked.values()).size, calls, 'two legs under one Linkedid')

    const [directory] = (await bus.directories()).slice(-1)
    t.match(
      directory?.endpoints.find((entry) => entry.name === 'trunk'),
      {
        isTrunk: true,
        addresses: [{ address: pbx.trunkAddress, port: pbx.trunkPort }],
        matches: [`${pbx.trunkAddress}/32`],
      },
    )
    t.match(directory?.ownAddresses, [own])
    t.equal(bridge.status.counters['ami_suspect'], 0)
    t.match(bridge.status.subject, /^Asterisk 22\.\d+\.\d+ at /)
  },
)

t.test('200 calls with HEP on: every message once, byte for byte', async (t) => {
  const redis = await startTestRedis()
  const hepPort = await findFreePort()
  const pbx = await startTestPbx({ hep: { host: '127.0.0.1', port: hepPort, password: 'hep-secret' } })
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(
    bridgeEnvironment(pbx, redis.url, { HEP_LISTEN: `127.0.0.1:${hepPort}`, HEP_PASSWORD: 'hep-secret' }),
  )
  t.teardown(async () => {
    await bridge.close()
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  await until('the bridge reads', () => bridge.status.state === 'up')

  const { phone, trunk } = await twoLegCalls(pbx)
  t.equal(phone.callsOk, calls)
  const sipp = [...phone.messages, ...trunk.messages].map((message) => message.text)
  await until('all messages are on the bus', async () => (await bus.records()).length >= sipp.length)
  const records = await bus.records()
  t.equal(records.length, sipp.length)
  t.ok(records.every((record) => record.source === 'ami-hep'))
  t.same(
    records.map((record) => Buffer.from(record.payload).toString('latin1')).toSorted(),
    sipp.toSorted(),
    'the same bytes as SIPp sent and received',
  )
  t.ok(records.every((record) => record.direction !== 'unknown'))
  t.equal(bridge.status.tap, 'hep', 'the tap changed over by itself')
  await until('the history is off and empty', async () =>
    /Entry '0' does not exist/.test(await pbx.cli('pjsip show history entry 0')),
  )
  t.ok((bridge.status.counters['duplicates'] ?? 0) >= 4, 'the history had shown the same messages')
})

async function twoLegCalls(pbx: Awaited<ReturnType<typeof startTestPbx>>) {
  const trunk = await startSipp({ scenario: 'trunk', address: pbx.trunkAddress, port: pbx.trunkPort })
  const phone = await runSipp({
    scenario: 'answered',
    address: pbx.phoneAddress,
    remote: { address: pbx.address, port: pbx.sipPort },
    number: '2000',
    calls,
    callsPerSecond: 20,
    holdMs: 300,
  })
  return { phone, trunk: await trunk.stop() }
}

const isSame = (a: { address: string; port: number }, b: { address: string; port: number }) =>
  a.address === b.address && a.port === b.port

/** Kind, code, Call-ID and CSeq of each message → how often. */
function tally(payloads: readonly Uint8Array[]): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const payload of payloads) {
    const parsed = parseMessage(payload)
    const key = parsed.ok
      ? [
          parsed.message.status ?? '',
          parsed.message.method,
          parsed.message.cseq?.number,
          parsed.message.callId,
        ].join(' ')
      : 'unparsed'
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

const tallySipp = (...logs: readonly (readonly SippMessage[])[]) =>
  tally(logs.flat().map((message) => Buffer.from(message.text, 'latin1')))

function callIdOf(record: SipRecord): string {
  const parsed = parseMessage(record.payload)
  return parsed.ok ? parsed.message.callId : ''
}
