import t from 'tap'
import { messageFilter } from '@sip-capture/contract/rest/message.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { compileMatch } from '../../src/live/message-match.ts'
import { insertViews, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { openTestStore } from '../test-store.ts'

const at = (n: number) => ({ atMicros: 1_795_391_929_000_000 + n * 1000 })
const trunk = { address: '203.0.113.9', port: 5060 }
const trunk6 = { address: '2001:db8:1::9', port: 5060 }
const pbx = { address: '192.0.2.20', port: 5080 }

const views = [
  viewOf(sipRecordOf(sipText({}), at(0))),
  viewOf(
    sipRecordOf(sipText({ startLine: 'SIP/2.0 486 Busy Here', callId: 'Call-1@example.org' }), {
      ...at(1),
      src: trunk,
      dst: pbx,
      source: 'wire',
      direction: 'unknown',
    }),
  ),
  viewOf(
    sipRecordOf(
      sipText({
        startLine: 'SIP/2.0 200 OK',
        cseq: '7 REGISTER',
        from: '"MÜLLER, Jürgen" <sip:+4930123@example.org>;tag=b',
        userAgent: 'Asterisk PBX 22.10',
      }),
      { ...at(2), src: pbx, dst: trunk6, direction: 'unknown' },
    ),
  ),
  viewOf(
    sipRecordOf(
      sipText({
        callId: `a,b'"\\{}%\u0001\u007f[x]`,
        extra: ['P-Asserted-Identity: <tel:+49891234>', 'Subject: Größe ẞ ſ K İ'],
        to: '<sip:*98@example.org>',
      }),
      { ...at(3), channel: 'PJSIP/acme-00000005' },
    ),
  ),
  viewOf(sipRecordOf(Buffer.from('\x00\x01 not sip \xff\xfe', 'latin1'), at(4))),
  viewOf(
    sipRecordOf(
      Buffer.concat([
        Buffer.from(sipText({ callId: 'bytes', extra: ['X-Bad: '] }).slice(0, -4)),
        Buffer.from('\xff\xfe\0tail\r\n\r\n', 'latin1'),
      ]),
      at(5),
    ),
  ),
  viewOf(sipRecordOf(sipText({ callId: 'imported' }), at(6)), 'upload 1'),
]

const filters: [words: object, expected: number[]][] = [
  [{}, [0, 1, 2, 3, 4, 5]],
  [{ callId: 'call-1@example.org' }, [0, 2]],
  [{ callId: 'Call-1@example.org' }, [1]],
  [{ callId: [`a,b'"\\{}%\u0001\u007f[x]`, 'Call-1@example.org'] }, [1, 3]],
  [{ callId: `x' OR 1=1 --` }, []],
  [{ method: 'INVITE' }, [0, 1, 3, 5]],
  [{ method: 'invite' }, []],
  [{ method: ['REGISTER', 'BYE'] }, [2]],
  [{ status: '4xx' }, [1]],
  [{ status: ['486', '2XX'] }, [1, 2]],
  [{ status: '487' }, []],
  [{ from: 'müller' }, [2]],
  [{ from: 'ALICE' }, [0, 1, 3, 5]],
  [{ from: '100@' }, [0, 1, 3, 5]],
  [{ to: '*98' }, [3]],
  [{ to: '%' }, []],
  [{ number: '+4930' }, [2]],
  [{ number: '4989' }, [3]],
  [{ number: '100' }, [0, 1, 3, 5]],
  [{ address: '203.0.113.9' }, [1]],
  [{ address: '203.0.113.9:5060' }, [1]],
  [{ address: '203.0.113.9:5061' }, []],
  [{ address: '2001:DB8:1:0::9' }, [2]],
  [{ address: '[2001:db8:1::9]:5060' }, [2]],
  [{ address: '192.0.2.20:5080' }, [0, 1, 2, 3, 4, 5]],
  [{ address: 'nonsense' }, []],
  [{ trunk: 'acme' }, [1, 2, 3]],
  [{ trunk: 'phone-100' }, [0, 3, 4, 5]],
  [{ trunk: 'ACME' }, []],
  [{ userAgent: 'asterisk' }, [2]],
  [{ text: 'phone 1.0' }, [0, 1, 3, 5]],
  [{ text: 'GRÖSSE' }, []],
  [{ text: 'größe ẞ' }, [3]],
  [{ text: 'Größe ẞ ſ K İ' }, [3]],
  [{ text: 'größe ß' }, []],
  [{ text: '\0tail' }, [5]],
  [{ text: '\ufffd\ufffd\0TAIL' }, [5]],
  [{ text: 'not sip' }, [4]],
  [{ text: ['not sip', 'Busy'] }, [1, 4]],
  [{ text: `'; DROP TABLE raw; --` }, []],
  [{ source: 'wire' }, [1]],
  [{ source: ['wire', 'ami-hep'], status: '200', method: 'REGISTER' }, [2]],
  [{ capture: 'upload 1' }, [6]],
  [{ capture: 'upload 2' }, []],
  [{ q: 'status:4xx,5xx' }, [1]],
  [{ q: '-status:4xx' }, [0, 2, 3, 4, 5]],
  [{ q: 'status:<400' }, [2]],
  [{ q: 'from:+4930*' }, [2]],
  [{ q: 'from:*0123' }, [2]],
  [{ q: 'from:493012*' }, [2]],
  [{ q: 'from:30123*' }, []],
  [{ q: 'from:alice' }, [0, 1, 3, 5]],
  [{ q: 'from:Alice*' }, [0, 1, 3, 5]],
  [{ q: 'from:lice*' }, []],
  [{ q: 'from:sip:100@*' }, [0, 1, 3, 5]],
  [{ q: 'to:"*98"' }, [3]],
  [{ q: 'to:*9%' }, []],
  [{ q: 'number:49*34' }, [3]],
  [{ q: 'number:+49*' }, [2, 3]],
  [{ q: 'address:203.0.113.*' }, [1]],
  [{ q: 'src:203.0.113.9' }, [1]],
  [{ q: 'dst:203.0.113.9' }, []],
  [{ q: 'dst:2001:db8:1:0:0::9' }, [2]],
  [{ q: 'address:192.0.2.20:5080 port:5080' }, [0, 1, 2, 3, 4, 5]],
  [{ q: 'port:>5060' }, [0, 1, 2, 3, 4, 5]],
  [{ q: 'trunk:ac* kind:request' }, [3]],
  [{ q: 'ua:asterisk*' }, [2]],
  [{ q: 'ua:*10 OR callid:bytes' }, [2, 5]],
  [{ q: 'phone*1.0' }, [0, 1, 3, 5]],
  [{ q: 'ph_ne' }, []],
  [{ q: 'p%ne' }, []],
  [{ q: '"not sip"' }, [4]],
  [{ q: '4930123' }, [2]],
  [{ q: '+491*' }, []],
  [{ q: 'größe' }, [3]],
  [{ q: 'kind:unparsed' }, [4]],
  [{ q: 'sdp:no method:register' }, [2]],
  [{ q: 'source:wire OR (status:200 -source:wire)' }, [1, 2]],
  [{ q: 'reason:BUSY*' }, [1]],
  [{ q: 'cseq:7' }, [2]],
  [{ q: '-cseq:1' }, [2, 4]],
  [{ q: 'channel:PJSIP/acme-*' }, [3]],
  [{ q: 'size:>100000' }, []],
  [{ q: 'direction:unknown' }, []],
  [{ q: 'at:2026-11-22T23:58:49.002Z..2026-11-22T23:58:49.003Z' }, [2, 3]],
  [{ q: 'since:2026-11-22T23:58:49.004Z phone' }, [5]],
  [{ q: 'until:2000-01-01' }, []],
  [{ q: '-text:phone -(kind:unparsed)' }, [2]],
  [{ q: `callid:"x' OR 1=1 --"` }, []],
  [{ q: `text:"'; DROP TABLE raw; --", "Busy"` }, [1]],
  [{ q: 'busy', method: 'INVITE', status: '4xx' }, [1]],
  [{ q: 'a*', capture: 'upload 1' }, [6]],
  [{ q: 'uri:sip:200@*' }, [0, 3, 5]],
]

/** Searches of any shape, of words that occur: what one side finds the other must. */
function* randomSearches(count: number): Generator<string> {
  let state = 11
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const pick = (words: readonly string[]) => words[random(words.length)] ?? ''
  const values = [
    'alice',
    'A*',
    '*0',
    '+49*',
    '"*98"',
    '100',
    'Call-1*',
    'MÜL*',
    '%',
    '_',
    '\\',
    '*\\*',
    'ß',
    '*e*o*',
    '""',
    '"a b"',
    '\0tail',
    '*',
  ]
  const fields =
    'from to number callid trunk ua text reason uri channel node branch method problem address src'.split(' ')
  const tests = [
    () => `${pick(fields)}:${pick(values)}`,
    () => pick(values),
    () => `status:${pick(['2xx', '486', '>200', '..300', '<=200'])}`,
    () => `${pick(['cseq', 'size', 'port'])}:${pick(['1', '>1', '5060..5070', '<400', '7'])}`,
    () => `kind:${pick(['request', 'response', 'unparsed'])}`,
  ]
  const term = (depth: number): string => {
    const shape = random(depth > 2 ? 4 : 8)
    if (shape < 4) return tests[random(tests.length)]?.() ?? ''
    if (shape === 4) return `-${term(depth + 1)}`
    if (shape === 5) return `(${term(depth + 1)} OR ${term(depth + 1)})`
    return `(${term(depth + 1)} ${term(depth + 1)})`
  }
  for (let n = 0; n < count; n++) yield term(0)
}

t.test('every filter says the same live and over history', async (t) => {
  const store = await openTestStore(t)
  await insertViews(store, views)
  for (const [words, expected] of filters) {
    const filter = messageFilter.parse(words)
    const match = compileMatch(filter)
    const live = views.flatMap((view, index) => (match(view) ? [index] : []))
    const page = await listMessages(store, { filter, order: 'asc', limit: 100 })
    const history = page.items.map((row) => views.findIndex((view) => view.record.id === row.id))
    t.same(live, expected, `live ${JSON.stringify(words)}`)
    t.same(history, expected, `history ${JSON.stringify(words)}`)
  }
  let found = 0
  for (const q of randomSearches(400)) {
    const filter = messageFilter.parse({ q })
    const match = compileMatch(filter)
    const live = views.flatMap((view) => (match(view) ? [view.record.id] : []))
    const page = await listMessages(store, { filter, order: 'asc', limit: 100 })
    const history = page.items.map(({ id }) => id)
    if (JSON.stringify(live) !== JSON.stringify(history)) t.same(history, live, q)
    found += live.length > 0 && live.length < 6 ? 1 : 0
  }
  t.ok(found > 100, `${found} of 400 random searches find some and not all`)
  const { items } = await listMessages(store, { filter: {}, order: 'asc', limit: 100 })
  t.same(
    items,
    views.slice(0, 6).map(({ row }) => row),
    'a row from history is the row that was live',
  )
})
