import { parseMessage } from '@sip-capture/sip/message.ts'
import t from 'tap'
import { parseEventMessage } from '../../src/taps/events.ts'
import { dateEntries, isAbsent, parseHistoryEntry } from '../../src/taps/history-entry.ts'
import { noCursor, parseHistoryCursor } from '../../src/taps/history-cursor.ts'
import { createMessageGate } from '../../src/taps/message-gate.ts'
import { type HepPacket, parseHep } from '../../src/taps/hep-packet.ts'
import { createTapMerger, type TapMerger } from '../../src/taps/tap-merger.ts'
import { createTapSelection } from '../../src/taps/tap-selection.ts'
import { parseIdentifies, parseTransports } from '../../src/directory/endpoints.ts'
import { hep3 } from './hep-builder.ts'
import { canonicalAddress, createOwnAddresses, parseHostPort } from '../../src/own-addresses.ts'

const second = 1_795_391_929

/** As the tap does. */
function onHep(merger: TapMerger, packet: HepPacket): void {
  const read = parseMessage(packet.payload)
  merger.onHep(packet, read.ok ? read.message : undefined)
}

t.test('an entry of the history is read whole, its line ends as pjsip printed them', (t) => {
  const lines = [
    '<--- History Entry 4 Sent to [2001:DB8::1]:5061 at 1795391929 --->',
    'SIP/2.0 200 OK\r',
    'X: \xff\r',
    '\r',
    'v=0\n'.trim(),
    '',
  ]
  const entry = parseHistoryEntry(lines)
  t.match(entry, { direction: 'out', far: { address: '2001:db8::1', port: 5061 }, atSeconds: second })
  t.equal(Buffer.from(entry?.bytes ?? []).toString('latin1'), 'SIP/2.0 200 OK\r\nX: \xff\r\n\r\nv=0\n')
  t.ok(isAbsent(["Entry '7' does not exist"]))
  for (const odd of [
    [],
    ['nonsense'],
    [lines[0] ?? ''],
    ['<--- History Entry 4 Sent to host:5061 at 1 --->', 'x'],
  ])
    t.equal(parseHistoryEntry(odd), undefined)
  t.end()
})

t.test(
  'a date lies between the look that found nothing and the one that found it, within the printed second',
  (t) => {
    const base = second * 1_000_000
    t.same(dateEntries([second, second], base + 400_000, base + 500_000), [
      { atMicros: base + 425_000, precisionMicros: 100_000 },
      { atMicros: base + 475_000, precisionMicros: 100_000 },
    ])
    t.same(
      dateEntries([second, second + 1], base + 900_000, base + 1_100_000).map((date) => date.precisionMicros),
      [100_000, 100_000],
      'the turn of a second cuts the span',
    )
    t.same(
      dateEntries([second], 0, base + 9_000_000),
      [{ atMicros: base + 500_000, precisionMicros: 1_000_000 }],
      'an old entry is known to the second',
    )
    t.same(
      dateEntries([second], base + 5_000_000, base + 6_000_000),
      [{ atMicros: base + 500_000, precisionMicros: 1_000_000 }],
      'a clock that was set: the printed second',
    )
    const [only] = dateEntries([second], base, base + 100, base + 90)
    t.equal(only?.atMicros, base + 91, 'never before the entry in front of it')
    t.end()
  },
)

t.test('a cursor that is not ours counts as none', (t) => {
  for (const text of [null, '', '{', '[]', '{"v":2}', JSON.stringify({ ...noCursor, next: -1 })])
    t.same(parseHistoryCursor(text), noCursor)
  t.same(parseHistoryCursor(JSON.stringify({ ...noCursor, next: 5 })).next, 5)
  t.end()
})

t.test('two taps show a message once, a retransmission stays a message of its own', (t) => {
  const gate = createMessageGate<'hep' | 'history'>()
  t.equal(gate.shownBy('hep', 'a', 1_000_000, 300_000), undefined)
  t.equal(gate.shownBy('hep', 'a', 1_500_000, 300_000), undefined, 'the retransmission')
  t.equal(gate.shownBy('history', 'a', 1_450_000, 300_000), 'hep')
  t.equal(gate.shownBy('history', 'a', 1_050_000, 300_000), 'hep')
  t.equal(gate.shownBy('history', 'a', 1_060_000, 300_000), undefined, 'nobody is left to pair with')
  t.equal(gate.shownBy('history', 'b', 1_000_000, 300_000), undefined)
  t.equal(gate.shownBy('hep', 'b', 9_000_000, 300_000), undefined, 'too far apart')
  t.end()
})

t.test('the history dates to a second: HEP that comes behind it is the same message', (t) => {
  const gate = createMessageGate<'hep' | 'history'>()
  t.equal(gate.shownBy('history', 'a', 1_000_000, 1_300_000), undefined)
  t.equal(gate.shownBy('hep', 'a', 1_900_000, 300_000), 'history')
  t.equal(gate.shownBy('hep', 'a', 2_400_000, 300_000), undefined, 'the retransmission')
  t.equal(gate.shownBy('history', 'a', 2_000_000, 1_300_000), 'hep')
  t.equal(gate.shownBy('history', 'b', 1_000_000, 1_300_000), undefined)
  t.equal(gate.shownBy('hep', 'b', 2_400_000, 300_000), undefined, 'too far apart')
  t.end()
})

t.test('a message is remembered for 20 s at least and forgotten after 30 s, whatever its stamp says', (t) => {
  let now = 0
  const gate = createMessageGate<'hep' | 'history'>(() => now)
  const at = 1_000_000
  t.equal(gate.shownBy('hep', 'a', at, 300_000), undefined)
  t.equal(gate.shownBy('hep', 'b', at, 300_000), undefined)
  t.equal(gate.shownBy('hep', 'far', at + 300 * 86_400_000_000, 300_000), undefined, 'a stamp of next year')
  const passTo = (millis: number) => {
    for (; now < millis; now += 1_000) gate.shownBy('hep', `at ${now}`, now * 1_000, 300_000)
  }
  passTo(20_000)
  t.equal(gate.shownBy('history', 'a', at, 300_000), 'hep')
  passTo(31_000)
  t.equal(gate.shownBy('history', 'b', at, 300_000), undefined)
  t.end()
})

t.test('of a flood the last 33,000 messages at least are remembered, 50,000 at most', (t) => {
  const gate = createMessageGate<'hep' | 'history'>(() => 0)
  for (let n = 0; n < 60_000; n++) gate.shownBy('hep', `key ${n}`, n, 300_000)
  t.equal(gate.shownBy('history', 'key 27000', 27_000, 300_000), 'hep')
  t.equal(gate.shownBy('history', 'key 9999', 9_999, 300_000), undefined)
  t.end()
})

t.test('the tap changes on evidence only, and back on silence', (t) => {
  const changes: string[] = []
  const selection = createTapSelection({
    setting: 'auto',
    onChange: (tap, from) => void changes.push(`${from}>${tap}`),
  })
  for (let i = 0; i < 3; i++) selection.noteHistory(['hep'])
  selection.noteHistory([])
  for (let i = 0; i < 3; i++) selection.noteHistory(['hep'])
  t.same(changes, [], 'one message that HEP missed starts the count anew')
  selection.noteHistory(['hep'])
  t.same(changes, ['history>hep'])
  t.match(selection.reason, /HEP delivers/)
  selection.restart()
  for (let i = 0; i < 4; i++) selection.noteHistory(['events', 'hep'])
  t.same(changes, ['history>hep', 'hep>history', 'history>events'], 'events before HEP')
  const fixed = createTapSelection({ setting: 'history', onChange: () => t.fail('fixed') })
  for (let i = 0; i < 9; i++) fixed.noteHistory(['hep'])
  fixed.noteOnlySource('hep', 'x')
  t.equal(fixed.tap, 'history')
  t.end()
})

const event = (...fields: [string, string][]) => ({
  kind: 'event' as const,
  name: 'X',
  fields,
  output: [],
  isTruncated: false,
})

const text = (found: ReturnType<typeof parseEventMessage>) =>
  found && Buffer.from(found.bytes).toString('latin1')

t.test(
  'HEP names a channel only where it is not the Call-ID, which a caller may have made look like one',
  (t) => {
    const channels: (string | undefined)[] = []
    const correlations: string[] = []
    const merger = createTapMerger({
      node: 'test',
      own: createOwnAddresses(),
      selection: createTapSelection({ setting: 'hep', onChange() {} }),
      isAlone: true,
      publish: (record) => channels.push(record.channel),
      onInvite() {},
      historyProblem: () => undefined,
      onCorrelation: (channel, callId) => correlations.push(`${channel} ${callId}`),
      onSuspect() {},
    })
    const send = (callId: string, correlationId: string) => {
      const parsed = parseHep(
        hep3({
          correlationId,
          payload: Buffer.from(
            `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9hG4bK${callId}\r\nCall-ID: ${callId}\r\nCSeq: 1 OPTIONS\r\n\r\n`,
          ),
        }),
      )
      if (!parsed.ok) throw new Error(parsed.problem)
      onHep(merger, parsed.packet)
    }
    send('PJSIP/trunk-00000005', 'PJSIP/trunk-00000005')
    send('one', 'PJSIP/trunk-00000006')
    t.same(channels, [undefined, 'PJSIP/trunk-00000006'])
    t.same(correlations, ['PJSIP/trunk-00000006 one'])
    t.end()
  },
)

t.test('what two taps show is let through once, what a tap that is alone shows always', (t) => {
  for (const isAlone of [false, true]) {
    let published = 0
    const merger = createTapMerger({
      node: 'test',
      own: createOwnAddresses(),
      selection: createTapSelection({ setting: 'auto', onChange() {} }),
      isAlone,
      publish: () => (published += 1),
      onInvite() {},
      historyProblem: () => undefined,
      onCorrelation() {},
      onSuspect() {},
    })
    const payload = Buffer.from(
      'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/UDP b;branch=z9hG4bKx\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n',
    )
    const parsed = parseHep(hep3({ payload }))
    if (!parsed.ok) throw new Error(parsed.problem)
    onHep(merger, parsed.packet)
    merger.onHistory({
      id: '0'.repeat(32),
      atMicros: parsed.packet.atMicros,
      atSeconds: Math.floor(parsed.packet.atMicros / 1_000_000),
      precisionMicros: 1_000_000,
      direction: 'in',
      far: { address: '192.0.2.1', port: 5060 },
      bytes: payload,
    })
    t.equal(published, isAlone ? 2 : 1)
  }
  t.end()
})

t.test('SIP text in an event is found in each of its spellings, other events are left alone', (t) => {
  const wanted = 'OPTIONS sip:a SIP/2.0\r\nCall-ID: 1\r\n\r\n'
  t.equal(
    text(
      parseEventMessage(
        event(['Message', 'OPTIONS sip:a SIP/2.0'], ['Message', 'Call-ID: 1'], ['Message', '']),
      ),
    ),
    wanted,
  )
  t.equal(
    text(parseEventMessage(event(['Message', 'OPTIONS sip:a SIP/2.0\\r\\nCall-ID: 1\\r\\n\\r\\n']))),
    wanted,
  )
  t.equal(text(parseEventMessage(event(['Message', 'OPTIONS sip:a SIP/2.0\nCall-ID: 1\n\n']))), wanted)
  t.match(
    parseEventMessage(
      event(
        ['Direction', 'sent'],
        ['RemoteAddress', 'IPV4/UDP/10.0.0.2/5060'],
        ['M', 'OPTIONS sip:a SIP/2.0\\r\\n\\r\\n'],
      ),
    ),
    { direction: 'out', dst: { address: '10.0.0.2', port: 5060 } },
  )
  t.equal(parseEventMessage(event(['CallerIDName', 'SIP/2.0'], ['AppData', 'set SIP/2.0 x'])), undefined)
  t.end()
})

t.test('identifies and transports are read from what the CLI prints', (t) => {
  t.same(
    [
      ...parseIdentifies([
        ' Identify:  <Identify/Endpoint....>',
        '      Match:  <criteria....>',
        ' Identify:  trunk-id/trunk',
        '      Match: 127.0.0.3/32',
        '      Match: 10.0.0.0/8',
        'Objects found: 1',
      ]),
    ],
    [['trunk', ['127.0.0.3/32', '10.0.0.0/8']]],
  )
  t.same(
    parseTransports(
      [
        'Transport:  <TransportId........>  <Type>  <cos>  <tos>  <BindAddress....>',
        'Transport:  t                         udp      0      0  0.0.0.0:5060',
        'Transport:  v6                        tls      3     26  [::1]:5061',
      ],
      '192.0.2.7',
    ),
    [
      { address: '192.0.2.7', port: 5060 },
      { address: '::1', port: 5061 },
    ],
  )
  t.same(parseHostPort('[::ffff:10.0.0.1]:5060'), { address: '10.0.0.1', port: 5060 })
  for (const odd of ['', 'host:1', '1.2.3.4', '1.2.3.4:99999', '999.1.1.1:5060'])
    t.equal(parseHostPort(odd), undefined)
  t.equal(canonicalAddress('fe80::1%eth0'), 'fe80::1')
  t.end()
})
