import t, { type Test } from 'tap'
import { messageFilter } from '@sip-capture/contract/rest/message.ts'
import { listMessages } from '../../src/history/message-page.ts'
import type { Store } from '../../src/history/store.ts'
import type { MessageView } from '../../src/ingest/message-row.ts'
import { compileMatch } from '../../src/live/message-match.ts'
import { insertViews, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { openTestStore } from '../test-store.ts'
import { insertAsBefore } from './rows-of-before.ts'

const uris = [
  'sip:200@192.0.2.20',
  'sip:+4930123@example.org',
  'sip:Alice:secret@example.org',
  'sip:@example.org',
  'sip:example.org',
  'SIP:Bob@example.org',
  'sips:carol@example.org;branch=uri',
  'tel:+49-30-77',
  'sip:al\r\n ice@example.org',
  'sip:Zoë@example.org',
  'sip:++44@example.org',
  'sip:a b@example.org',
  'sip:%2B49@example.org;user=phone',
  'urn:service:sos',
  '',
]
const vias = [
  'Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK7',
  'Via: SIP/2.0/UDP 192.0.2.10;rport;branch=z9hG4bK7, SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK8',
  'Via: SIP/2.0/UDP 192.0.2.10, SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK8',
  'Via: SIP/2.0/UDP 192.0.2.10\r\nVia: SIP/2.0/UDP 192.0.2.11;branch=z9hG4bK8',
  'v: SIP/2.0/UDP 192.0.2.10;Branch=z9hG4bK9',
  'Via: SIP/2.0/UDP 192.0.2.10 ; branch = z9hG4bK7',
  'Via: SIP/2.0/UDP 192.0.2.10;branch="z9;hG4bK"',
  'Via: SIP/2.0/UDP 192.0.2.10;branch="z9hG4bK7"',
  'Via: SIP/2.0/UDP 192.0.2.10;branch=',
  'Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK\r\n 7',
  'Via: SIP/2.0/UDP 192.0.2.10;branch=zö',
  'X-Before: ;branch=else\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK7',
  'X-None: 1',
]
const identities = [
  [],
  [],
  ['P-Asserted-Identity: <tel:+49891234>'],
  ['P-Asserted-Identity: <sip:200@192.0.2.20>'],
]
const startLines = ['INVITE', 'BYE', 'SIP/2.0 200 OK']

/** Of each message some of its own words, and some of others. */
const searches = (
  [
    'z9hG4bK7',
    'z9hG4bK8',
    'z9hG4bK*',
    'z9;hG4bK',
    '*',
    '""',
    '" "',
    'else',
    'uri',
    'zö',
    'z9hG4bK',
    'body',
  ] as const
)
  .map((word) => `branch:${word}`)
  .concat(
    [
      '200',
      '+4930123',
      '4930*',
      'alice',
      'al ice',
      'zoë',
      'bob',
      'carol',
      '77',
      '*',
      '44',
      '+44',
      '%2b49',
      '4989',
      '"a b"',
      '" "',
      '""',
    ].flatMap((word) => [`number:${word}`, `from:${word}`, `to:${word}`]),
    ['200@*', 'alice*', '*ice', '+4*', '*', 'zo*', 'sip:*'].flatMap((word) => [
      `from:${word}`,
      `to:${word}`,
      `number:${word}`,
    ]),
    ['sip:200@*', '200', '*', '""', '" "', 'example.org', 'sos'].map((word) => `uri:${word}`),
    ['phone', 'PHONE*', 'größe', 'GRÖSSE'].map((word) => `ua:${word}`),
  )
  .flatMap((search) => [search, `-${search}`, `${search} OR method:BYE`])

function createRandom(seed: number): <T>(items: readonly T[]) => T {
  let state = seed
  return (items) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return items[(state >>> 8) % items.length] as (typeof items)[number]
  }
}

function oddMessages(count: number): MessageView[] {
  const pick = createRandom(5)
  return Array.from({ length: count }, (_, n) => {
    const start = pick(startLines)
    const party = () => pick(['', '"Alice" ', 'Zoë ']) + `<${pick(uris)}>${pick(['', ';tag=a1'])}`
    const to = pick(uris)
    const request = pick([to, to, pick(uris)]).replaceAll(/\s+/g, '')
    const text = sipText({
      startLine: start.startsWith('SIP') ? start : `${start} ${request} SIP/2.0`,
      cseq: `1 ${start.startsWith('SIP') ? 'INVITE' : start}`,
      callId: `call-${n}`,
      from: party(),
      to: `<${to}>${pick(['', ';tag=b1'])}`,
      userAgent: pick(['Phone 1.0', 'Größe']),
      extra: pick(identities),
      body: pick(['', 'x;branch=body y']),
    })
    const odd = text
      .replace(/^Via: .*$/m, pick(vias))
      .replace('\r\n', pick(['\r\n', '\r\n', '\r\nX: \xff\r\n']))
    const bytes = Buffer.from(odd, pick(['utf8', 'utf8', 'latin1']))
    return viewOf(sipRecordOf(bytes, { atMicros: 1_795_391_929_000_000 + n * 1_000 }))
  })
}

const views = [
  ...oddMessages(400),
  viewOf(sipRecordOf(Buffer.from('\x01 no SIP ;branch=z9hG4bK7'), { atMicros: 1_795_391_930_000_000 })),
]

async function compare(t: Test, store: Store, how: string): Promise<void> {
  let found = 0
  for (const q of searches) {
    const filter = messageFilter.parse({ q })
    const match = compileMatch(filter)
    const live = views.flatMap((view, n) => (match(view) ? [n] : []))
    const page = await listMessages(store, { filter, order: 'asc', limit: 1_000 })
    const history = page.items.map((row) => views.findIndex((view) => view.record.id === row.id))
    t.same(history, live, `${how}: ${q} finds ${live.length}`)
    if (live.length > 0 && live.length < views.length) found += 1
  }
  t.ok(found > searches.length / 2, `${found} of ${searches.length} find some and not all`)
}

t.test('what is implied is found as if it were written', async (t) => {
  const store = await openTestStore(t)
  await insertViews(store, views)
  await compare(t, store, 'now')
})

t.test('rows of a version before are read the same', async (t) => {
  const store = await openTestStore(t)
  await insertAsBefore(store, views)
  await compare(t, store, 'before')
})

t.test('of a usual message nothing is written twice', async (t) => {
  const store = await openTestStore(t)
  await insertViews(store, [viewOf(sipRecordOf(sipText({ to: '<sip:200@192.0.2.20>;tag=b' })))])
  const [row] = await store.query(
    'SELECT requestUri, branch, fromUser, toUser, numbers, fromFold, toFold, userAgentFold FROM messages',
  )
  const empty = { fromUser: '', toUser: '', numbers: [], fromFold: '', toFold: '', userAgentFold: '' }
  t.same(row, { requestUri: '\n', branch: '\n', ...empty })
})
