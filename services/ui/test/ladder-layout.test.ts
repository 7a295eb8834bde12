import { pbxHost, storyOfNoAck, storyOfTransfer, storyStart } from '@sip-capture/testing/sip-stories.ts'
import { SipStory } from '@sip-capture/testing/sip-story.ts'
import { buildLadder, type Ladder } from '@sip-capture/sip/ladder.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import t from 'tap'
import { watchOf } from '../src/state/capture-watch.ts'
import { toObserved } from '../src/state/observed.ts'
import { describeArrow, mediaWords, pauseText, sinceStart } from '../src/views/ladder/arrow-words.ts'
import { layOutLadder, lineOffset, rowsWithin } from '../src/views/ladder/ladder-layout.ts'
import { diffMessages } from '../src/views/ladder/message-diff.ts'
import { shareText } from '../src/views/ladder/share-text.ts'
import { goodSources } from './fake-api.ts'
import { toRow } from './sip-calls.ts'
import { storyRows } from './story-rows.ts'

const observe = (seen: Parameters<typeof storyRows>[0]) =>
  storyRows(seen, storyStart).flatMap((row) => toObserved(row) ?? [])
const at = (seconds: number) => toRfc3339(storyStart + seconds * 1_000_000)
const compact = { isFolded: true, isToScale: false }
const noAck = buildLadder(observe(storyOfNoAck()), { seenUntilMicros: storyStart + 600_000_000 })
const transfer = buildLadder(observe(storyOfTransfer()))

const parse = (text: string) => {
  const observed = toObserved(
    toRow({ text, atMicros: storyStart, src: pbxHost, dst: { address: '192.0.2.1', port: 5060 } }),
  )
  if (observed === null) throw new Error('not SIP')
  return observed.message
}
const lines = (...all: string[]) => `${all.join('\r\n')}\r\n\r\n`

t.test('rows stand below each other, each arrow once, repeats folded into the first sending', async (t) => {
  const layout = layOutLadder(noAck, compact)
  let bottom = 0
  for (const row of layout.rows) {
    t.ok(row.y >= bottom)
    bottom = row.y + row.height
  }
  t.equal(layout.height, bottom)
  t.same(
    layout.rows.map((row) => (row.kind === 'media' ? 'media' : row.arrow.label)),
    ['INVITE', '100 Trying', '200 OK (INVITE)', 'media', 'no ACK', 'BYE', 'no answer to BYE'],
  )
  const last = noAck.arrows.findLast(({ repeatOf }) => repeatOf !== null)
  t.equal(layout.rowOf(last?.id ?? ''), 5, 'a folded retransmission is where its first sending is')
  t.equal(layOutLadder(noAck, { ...compact, isFolded: false }).rows.length, 27)
  t.equal(layout.rowOf('unknown'), -1)
})

t.test('to scale, distances are times, and what is cut says so', async (t) => {
  const { rows } = layOutLadder(transfer, { isFolded: true, isToScale: true })
  const arrowRows = rows.flatMap((row) => (row.kind === 'arrow' ? [row] : []))
  const lineOf = (number: number) => {
    const row = arrowRows.find(({ arrow }) => arrow.number === number)
    return (row?.y ?? 0) + lineOffset
  }
  t.equal(lineOf(15) - lineOf(14), 12.4 * 40)
  t.equal(lineOf(11) - lineOf(10), Math.round(5.69 * 40))
  const cut = arrowRows.filter(({ isCut }) => isCut)
  t.same(
    cut.map(({ arrow }) => arrow.number),
    [37],
    'only the pause of 20 s is too long',
  )
  t.equal(lineOf(37) - lineOf(36), 600)
})

t.test('media are told after the ACK of their answer, and end at the BYE', async (t) => {
  const { rows, bands } = layOutLadder(transfer, compact)
  const at = rows.findIndex((row) => row.kind === 'media')
  const before = rows[at - 1]
  t.equal(before?.kind === 'arrow' ? before.arrow.label : '', 'ACK')
  t.equal(bands.length, 6)
  t.ok(bands.every(({ fromY, toY }) => fromY < toY))
  t.same(
    transfer.media.map((span) => mediaWords(span)),
    ['⇄ RTP PCMA', '⇄ RTP PCMA', '← RTP PCMA', '⇄ RTP PCMA', '⇄ RTP G722', '⇄ RTP PCMA'],
  )
})

t.test('the window holds every row that touches it and few more', async (t) => {
  const { rows, height } = layOutLadder(transfer, compact)
  for (let top = 0; top < height; top += 37) {
    const { first, last } = rowsWithin(rows, top, top + 300)
    const touching = rows.flatMap((row, index) =>
      row.y < top + 300 && row.y + row.height > top ? [index] : [],
    )
    t.ok(first <= (touching[0] ?? 0) && last >= (touching.at(-1) ?? 0))
    t.ok(last - first < 14)
  }
  t.same(rowsWithin([], 0, 100), { first: 0, last: -1 })
})

t.test('an arrow is one sentence for those who hear the page', async (t) => {
  const [first] = transfer.arrows
  const repeated = transfer.arrows.find(({ repeats }) => repeats > 0)
  const ghost = noAck.arrows.find(({ label }) => label === 'no ACK')
  if (!first || !repeated || !ghost) throw new Error('no arrow')
  t.match(
    describeArrow(first, transfer),
    /^1: INVITE · to 1002 · SDP audio PCMA G722 · from 1001 to 203\.0\.113\.2 · leg 1 · CSeq 1 · .* · seen by Wire$/,
  )
  t.match(describeArrow(repeated, transfer), /sent 2 times/)
  t.equal(
    describeArrow(ghost, noAck),
    'Missing: no ACK · from 198.51.100.7 to 203.0.113.2 · The 200 was sent 11 times, and no ACK came for it. · RFC 3261 13.3.1.4',
  )
})

t.test('pauses and times since the start are short and exact', async (t) => {
  t.equal(pauseText(12_400_000), '12.4 s')
  t.equal(pauseText(185_000_000), '3 min 05 s')
  t.equal(pauseText(3_725_000_000), '1 h 02 min')
  t.equal(sinceStart(34_000), '+34.0 ms')
  t.equal(sinceStart(65_102_000), '+1:05.102')
  t.equal(sinceStart(3_725_000_500), '+1:02:05.001')
})

t.test('two messages are compared header by header and word by word', async (t) => {
  const left = parse(
    lines(
      'INVITE sip:1002@h SIP/2.0',
      'Via: SIP/2.0/UDP a;branch=z9hG4bK1',
      'From: <sip:1@h>;tag=a',
      'To: <sip:2@h>',
      'Allow: INVITE',
      'X-Gone: yes',
      'CSeq: 1 INVITE',
      'Call-ID: c',
    ),
  )
  const right = parse(
    lines(
      'INVITE sip:1002@h SIP/2.0',
      'Via: SIP/2.0/UDP a;branch=z9hG4bK2',
      'Allow: INVITE',
      'From: <sip:1@h>;tag=a',
      'To: <sip:2@h>',
      'CSeq: 2 INVITE',
      'Call-ID: c',
      'Authorization: Digest username="1"',
    ),
  )
  const { rows, changed } = diffMessages(left, right)
  t.same(
    rows.filter(({ kind }) => kind !== 'same').map(({ kind, name }) => `${kind} ${name}`),
    ['changed Via', 'moved Allow', 'removed X-Gone', 'changed CSeq', 'added Authorization'],
  )
  t.equal(changed, 5)
  t.same(rows.find(({ name }) => name === 'CSeq')?.right, [
    { text: '2', isChanged: true },
    { text: ' INVITE', isChanged: false },
  ])
  t.equal(diffMessages(left, left).changed, 0)
})

t.test('of several headers of one name those of equal value belong together', async (t) => {
  const head = ['BYE sip:h SIP/2.0', 'Call-ID: c']
  const { rows } = diffMessages(
    parse(lines(...head, 'Via: one', 'Via: two')),
    parse(lines(...head, 'Via: new', 'Via: one', 'Via: two')),
  )
  t.same(
    rows.filter(({ name }) => name === 'Via').map(({ kind, right }) => `${kind} ${right[0]?.text}`),
    ['added new', 'same one', 'same two'],
  )
})

t.test('bodies are compared line by line', async (t) => {
  const [hold, resume] = transfer.sightings
    .map(({ message }) => message.message)
    .filter(
      ({ callId, hasSdp, kind, from }) =>
        callId === 'leg-b@pbx' && hasSdp && kind === 'request' && from.user === '1002',
    )
  if (!hold || !resume) throw new Error('no re-INVITE')
  const body = diffMessages(hold, resume).rows.filter(({ name, kind }) => name === 'Body' && kind !== 'same')
  t.same(
    body.map(({ left, right }) => [left, right].map((parts) => parts.map(({ text }) => text).join(''))),
    [
      ['o=- 4711 3 IN IP4 198.51.100.7', 'o=- 4711 5 IN IP4 198.51.100.7'],
      ['a=sendonly', 'a=sendrecv'],
    ],
  )
})

const big = (letter: string) =>
  parse(
    `OPTIONS sip:h SIP/2.0\r\nCall-ID: c\r\n${`X: ${letter}\r\n`.repeat(5000)}Subject: ${`${letter} x`.repeat(9000)}\r\n\r\n${`${letter}\n`.repeat(4000)}`,
  )

t.test('a comparison of the largest hostile messages ends', async (t) => {
  const { rows } = diffMessages(big('a'), big('b'))
  t.ok(rows.length > 5000)
})

const call = (ladder: Ladder, words: { from: string; title: string }) => ({
  id: 'c',
  state: 'failed' as const,
  from: words.from,
  to: '1002',
  startedAt: toRfc3339(storyStart),
  endedAt: toRfc3339(storyStart + 66_000_000),
  legs: ladder.legs.map(({ callId }) => ({
    callId,
    channel: null,
    uniqueid: null,
    linkedid: null,
    link: 'asked' as const,
  })),
  findings: [
    {
      ruleId: 'R',
      severity: 'error' as const,
      side: 'peer' as const,
      confidence: 'high' as const,
      title: words.title,
      sentence: 'No ACK came.',
      evidence: [],
      checks: [],
      rfc: [],
      options: [],
    },
  ],
  messages: [],
  truncated: false,
})

t.test('the text for a ticket has verdict, both clocks, legs and the ladder', async (t) => {
  const text = shareText(call(noAck, { from: '1001', title: 'No ACK' }), noAck, 'http://h/capture?callId=c')
  t.match(text, /^### 1001 → 1002: failed\n\n\*\*✕ Problem: No ACK\*\* No ACK came\.\n/)
  t.match(text, /- Begin: 2026-11-23T05:33:20\.000000Z \(.*2026, \d\d:33:20\.000000, .*\)/)
  t.match(text, /- Leg 1: Call-ID `no-ack@phone`\n- Call: <http:\/\/h\/capture\?callId=c>\n\n```text\n/)
  t.match(text, /\|\.+ no ACK \.+>\|/)
  t.ok(text.endsWith('```\n'))
})

t.test('the text for a ticket says what the options are set to', async (t) => {
  const detail = call(noAck, { from: '1001', title: 'No ACK' })
  const sentence = 'rtp_symmetric is no on endpoint <b>acme</b>'
  const options = [
    { option: 'rtp_symmetric', object: 'endpoint', endpoint: 'acme', value: 'no', sentence },
    { option: 'local_net', object: 'transport', endpoint: 'acme' },
  ]
  const findings = detail.findings.map((finding) => ({ ...finding, options }))
  const text = shareText({ ...detail, findings }, noAck, 'http://h/')
  t.match(text, String.raw`- Now in Asterisk: rtp\_symmetric is no on endpoint \<b\>acme\</b\>` + '\n')
  t.notMatch(text, /local_net/)
})

t.test('what strangers wrote becomes no markup in a ticket', async (t) => {
  const story = new SipStory(pbxHost, storyStart)
  story
    .leg(
      'a`b``c@h',
      { user: '1', host: { address: '192.0.2.9', port: 5060, name: '```\n# evil' } },
      { user: '2', host: pbxHost },
    )
    .request('INVITE', { headers: ['Reason: ```` </code> <script>'] })
  const ladder = buildLadder(observe(story.seen))
  const text = shareText(
    call(ladder, { from: '<img src=x>', title: '[x](javascript:1) @all http://evil.example ~~' }),
    ladder,
    'http://h/',
  )
  t.match(text, String.raw`### \<img src=x\> → 1002`)
  t.match(text, String.raw`\[x\]\(javascript:1\) \@all http\://evil.example \~\~`)
  t.match(text, '- Leg 1: Call-ID ```a`b``c@h```')
  const fence = /^(`+)text$/m.exec(text)?.[1] ?? ''
  t.ok(fence.length > 4)
  t.equal(text.split('\n').filter((line) => line.startsWith(fence)).length, 2, 'the fence closes at the end')
})

t.test('a ladder is watched as long as the sources that saw it say so', async (t) => {
  const [ami, wire] = goodSources.items
  const rows = storyRows(storyOfNoAck(), storyStart)
  if (!ami || !wire) throw new Error('no sources')
  const seen = (...sources: (typeof wire)[]) =>
    (watchOf(rows, sources).seenUntilMicros - storyStart) / 1_000_000
  t.equal(seen({ ...wire, at: at(40) }), 40)
  t.equal(seen({ ...wire, at: at(4000) }), 98.5, 'no longer than one waits for a message')
  t.ok(seen({ ...ami, at: at(40) }) < 0, 'another source is no witness')
  t.ok(seen({ ...wire, node: 'pbx2', at: at(40) }) < 0)
  t.ok(seen({ ...wire, state: 'failed', at: at(40) }) < 0)
  const gaps = [
    { from: at(3), to: at(4), reason: 'tshark was restarted' },
    { from: at(-20), to: at(-10), reason: 'before' },
  ]
  t.same(watchOf(rows, [{ ...wire, gaps }]).blind, [
    { fromMicros: storyStart + 3_000_000, toMicros: storyStart + 4_000_000 },
  ])
})
