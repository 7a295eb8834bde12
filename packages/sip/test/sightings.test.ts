import t from 'tap'
import type { ObservedMessage } from '../src/observed-message.ts'
import { mergeSightings, sightingKey } from '../src/sightings.ts'
import { LegScript, pbx, phone, startMicros, toMessage } from './conversation.ts'

const nowhere = { address: '', port: 0 }

function one(overrides: Partial<ObservedMessage> = {}): ObservedMessage {
  const [message] = new LegScript().request('INVITE').messages
  if (!message) throw new Error('no message')
  return { ...message, ...overrides }
}

t.test('wire, HEP and history sights of one message are one sighting, the wire first', async (t) => {
  const reprinted = toMessage(
    'INVITE sip:1002@pbx.example.com SIP/2.0\r\nCall-ID: call-1@192.0.2.10\r\nCSeq: 1 INVITE\r\nv: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bK-call-1@192.0.2.10-1-INVITE-a;received=192.0.2.10;rport=5060\r\nFrom: <sip:1001@pbx.example.com>;tag=caller\r\nt: <sip:1002@pbx.example.com>\r\nContent-Length: 0\r\nContent-Length:  0\r\n\r\n',
  )
  const merged = mergeSightings([
    one({
      id: 'history',
      source: 'ami-history',
      atMicros: startMicros - 400_000,
      dst: nowhere,
      message: reprinted,
    }),
    one({ id: 'hep', source: 'ami-hep', atMicros: startMicros + 900 }),
    one({ id: 'wire', source: 'wire' }),
  ])
  t.equal(merged.length, 1)
  t.equal(merged[0]?.id, 'wire')
  t.same(merged[0]?.sources, ['wire', 'ami-hep', 'ami-history'])
  t.same(
    merged[0]?.all.map(({ id }) => id),
    ['wire', 'hep', 'history'],
  )
})

t.test('a retransmission stays its own message, in each source the n-th with the n-th', async (t) => {
  const wire = [0, 500_000, 1_500_000].map((later, n) =>
    one({ id: `wire${n}`, atMicros: startMicros + later }),
  )
  const seconds = [0, 0, 1_000_000].map((later, n) =>
    one({ id: `history${n}`, source: 'ami-history', atMicros: startMicros + later, dst: nowhere }),
  )
  const merged = mergeSightings([...seconds, ...wire])
  t.same(
    merged.map(({ all }) => all.map(({ id }) => id)),
    [
      ['wire0', 'history0'],
      ['wire1', 'history1'],
      ['wire2', 'history2'],
    ],
  )
  // A clock that is half a second late must not shift the pairs.
  const late = wire.map((message, n) => ({
    ...message,
    id: `hep${n}`,
    source: 'ami-hep',
    atMicros: message.atMicros + 600_000,
  }))
  t.same(
    mergeSightings([...late, ...wire]).map(({ all }) => all.map(({ id }) => id)),
    [
      ['wire0', 'hep0'],
      ['wire1', 'hep1'],
      ['wire2', 'hep2'],
    ],
  )
})

t.test('what only the wire saw is still there: it reached the network card, not Asterisk', async (t) => {
  const wire = [0, 500_000, 1_500_000].map((later, n) =>
    one({ id: `wire${n}`, atMicros: startMicros + later }),
  )
  const merged = mergeSightings([
    ...wire,
    one({ id: 'hep', source: 'ami-hep', atMicros: startMicros + 500_100 }),
  ])
  t.same(
    merged.map(({ sources }) => sources.length),
    [1, 2, 1],
  )
})

t.test(
  'a message that Asterisk sends to itself: one wire packet, sent and received in the tap',
  async (t) => {
    const self = { src: pbx, dst: pbx }
    for (const directions of [
      ['out', 'in'],
      ['unknown', 'unknown'],
    ] as const) {
      const merged = mergeSightings([
        one({ ...self, id: 'wire', direction: 'unknown' }),
        one({ ...self, id: 'sent', source: 'ami-hep', direction: directions[0], atMicros: startMicros + 10 }),
        one({
          ...self,
          id: 'received',
          source: 'ami-hep',
          direction: directions[1],
          atMicros: startMicros + 300,
        }),
      ])
      t.equal(merged.length, 1, directions.join())
      t.equal(merged[0]?.all.length, 3)
    }
    const history = mergeSightings([
      one({ id: 'sent', source: 'ami-history', direction: 'out', src: nowhere, dst: pbx }),
      one({ id: 'received', source: 'ami-history', direction: 'in', src: pbx, dst: nowhere }),
    ])
    t.equal(history.length, 1)
    const twice = mergeSightings([
      one({ id: 'a', source: 'ami-history', direction: 'in', dst: nowhere }),
      one({ id: 'b', source: 'ami-history', direction: 'in', dst: nowhere }),
    ])
    t.equal(twice.length, 2, 'two received in the same second are a retransmission')
  },
)

t.test('two packets on the wire a moment apart are two: only the capture may call them copies', async (t) => {
  t.equal(mergeSightings([one({ id: 'a' }), one({ id: 'b', atMicros: startMicros + 50 })]).length, 2)
})

t.test(
  'a copy on the other side of a NAT is another hop; the tap joins the hop it agrees with',
  async (t) => {
    const inside = { address: '10.0.0.5', port: 5060 }
    const merged = mergeSightings([
      one({ id: 'outside', src: phone, dst: { address: '198.51.100.1', port: 5060 } }),
      one({ id: 'inside', src: phone, dst: inside, atMicros: startMicros + 20 }),
      one({ id: 'hep', source: 'ami-hep', src: phone, dst: inside, atMicros: startMicros + 5 }),
    ])
    t.same(
      merged.map(({ id, sources }) => [id, sources.length]),
      [
        ['outside', 1],
        ['inside', 2],
      ],
    )
  },
)

t.test('hours apart is not the same message, and other messages are not either', async (t) => {
  t.equal(
    mergeSightings([
      one({ id: 'a' }),
      one({ id: 'b', source: 'ami-hep', atMicros: startMicros + 3_600_000_000 }),
    ]).length,
    2,
  )
  const leg = new LegScript()
    .request('INVITE')
    .response(100, 'Trying', 'INVITE')
    .response(180, 'Ringing', 'INVITE')
  const other = new LegScript({ callId: 'CALL-1@192.0.2.10' }).request('INVITE')
  const keys = new Set([...leg.messages, ...other.messages].map(({ message }) => sightingKey(message)))
  t.equal(keys.size, 4, 'method, status and the letter case of the Call-ID tell them apart')
  for (const key of keys) t.match(key, /^[0-9a-f]{32}$/)
})

t.test('messages without Call-ID and branch cannot be recognised, and are never merged', async (t) => {
  const message = toMessage('OPTIONS sip:a@b SIP/2.0\r\n\r\n')
  t.equal(sightingKey(message), '')
  t.equal(mergeSightings([one({ id: 'a', message }), one({ id: 'b', source: 'ami-hep', message })]).length, 2)
})

t.test('a flood of one message, seen twice, is still paired and keeps every sight', async (t) => {
  const first = one()
  const flood = (source: string, count: number, apart: number) =>
    Array.from({ length: count }, (_, n) => ({
      ...first,
      id: `${source}${n}`,
      source,
      atMicros: startMicros + n * apart,
    }))
  const merged = mergeSightings([...flood('wire', 10_000, 110_000), ...flood('ami-event', 9999, 110_000)])
  t.equal(merged.length, 10_000)
  t.equal(merged.filter(({ sources }) => sources.length === 2).length, 9999)
  const dense = mergeSightings([...flood('wire', 10_000, 100), ...flood('ami-event', 9999, 100)])
  t.equal(
    dense.reduce((sum, { all }) => sum + all.length, 0),
    19_999,
  )
})
