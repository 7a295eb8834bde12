import t from 'tap'
import { complete } from '@sip-capture/contract/search/complete.ts'
import { callTable, messageTable } from '@sip-capture/contract/search/fields.ts'
import { matchesParts, toLikePattern } from '@sip-capture/contract/search/glob.ts'
import { parseSearch } from '@sip-capture/contract/search/parser.ts'
import { parseDuration } from '@sip-capture/contract/search/values.ts'

const nowMicros = 1_795_391_929_000_000
const messages = (text: string) => parseSearch(text, messageTable, { nowMicros })
const calls = (text: string) => parseSearch(text, callTable, { nowMicros })
const test = (field: string, test: object) => ({ type: 'test', field, test })
const contains = (field: string, text: string) => test(field, { op: 'contains', text })
const range = (field: string, from: number | null, until: number | null) =>
  test(field, { op: 'range', from, until })

t.test('what is meant', async (t) => {
  const cases: [string, object][] = [
    ['', { type: 'all', terms: [] }],
    ['   ', { type: 'all', terms: [] }],
    ['status:486', range('status', 486, 487)],
    ['CODE:5XX', range('status', 500, 600)],
    ['status:>=400', range('status', 400, null)],
    ['status:400..499', range('status', 400, 500)],
    ['status:4xx..5xx', range('status', 400, 600)],
    ['size:>1400', range('size', 1401, null)],
    ['size:..10', range('size', null, 11)],
    ['method:invite', test('method', { op: 'equals', text: 'INVITE' })],
    ['method:inVitex', test('method', { op: 'equals', text: 'inVitex' })],
    ['from:+4420*', test('from', { op: 'like', parts: ['+4420', ''] })],
    ['from:"+4420*"', contains('from', '+4420*')],
    ['callid:"a\\"b\\\\,c d"', test('callid', { op: 'equals', text: 'a"b\\,c d' })],
    ['address:[2001:DB8::1]:5060', test('address', { op: 'address', address: '2001:db8::1', port: 5060 })],
    ['address:192.0.2.*', test('address', { op: 'like', parts: ['192.0.2.', ''] })],
    ['since:-24h', range('at', nowMicros - 86_400_000_000, null)],
    ['until:now', range('at', null, nowMicros)],
    ['since:2026-11-23', range('at', 1_795_392_000_000_000, null)],
    ['since:2026-11-23T01:00+01:00', range('at', 1_795_392_000_000_000, null)],
    ['at:2026-11-23', range('at', 1_795_392_000_000_000, 1_795_478_400_000_000)],
    ['-trunk:acme', { type: 'not', term: test('trunk', { op: 'equals', text: 'acme' }) }],
    ['NOT sdp:yes', { type: 'not', term: test('sdp', { op: 'equals', text: 'yes' }) }],
    ['transport:tls', test('transport', { op: 'equals', text: 'TLS' })],
    ['status:5xx, 486', { type: 'any', terms: [range('status', 500, 600), range('status', 486, 487)] }],
    ['busy', contains('text', 'busy')],
    ['"session progress"', contains('text', 'session progress')],
    ['+4420', { type: 'any', terms: [contains('text', '+4420'), contains('number', '+4420')] }],
    ['sip:100@example.org', contains('text', 'sip:100@example.org')],
    ['192.0.2.1:5060', contains('text', '192.0.2.1:5060')],
    ['a -b', { type: 'all', terms: [contains('text', 'a'), { type: 'not', term: contains('text', 'b') }] }],
    ['a-b', contains('text', 'a-b')],
    [
      'a b OR c',
      {
        type: 'any',
        terms: [
          { type: 'all', terms: [contains('text', 'a'), contains('text', 'b')] },
          contains('text', 'c'),
        ],
      },
    ],
    [
      'a AND (b OR c)',
      {
        type: 'all',
        terms: [
          contains('text', 'a'),
          { type: 'any', terms: [contains('text', 'b'), contains('text', 'c')] },
        ],
      },
    ],
  ]
  for (const [text, value] of cases) t.same(messages(text), { ok: true, value }, text)
  t.same(calls('duration:>30s'), { ok: true, value: range('duration', 30_001, null) })
  t.same(calls('pdd:<=500ms'), { ok: true, value: range('pdd', null, 501) })
  t.same(calls('talk:30s'), { ok: true, value: range('talk', 30_000, 31_000) })
  t.same(calls('ring:1m..2m'), { ok: true, value: range('ring', 60_000, 120_001) })
  t.same(calls('state:In_Call'), { ok: true, value: test('state', { op: 'equals', text: 'in-call' }) })
  t.same(calls('verdict:no-ack'), { ok: true, value: contains('verdict', 'no-ack') })
})

t.test('what is wrong, where, and what was probably meant', async (t) => {
  const cases: [string, object][] = [
    [
      'to:1 form:2',
      { message: 'unknown field `form`: did you mean `from`?', at: 5, length: 4, suggestion: 'from' },
    ],
    ['stauts:5xx', { at: 0, length: 6, suggestion: 'status' }],
    ['xyzzy:1', { message: 'unknown field `xyzzy`; for a text with a colon write it in " "', at: 0 }],
    ['status:7xx', { message: /^status: `7xx` wants a status code/, at: 7, length: 3 }],
    ['status:>x', { at: 7, length: 2 }],
    ['since:24h', { at: 6, length: 3, suggestion: '-24h' }],
    ['since:2026-11-23T01:00', { message: /wants a time/, at: 6, length: 16 }],
    ['from:', { message: 'a value is missing after from:', at: 0, length: 5 }],
    ['from: x', { message: 'a value is missing after from:', at: 0 }],
    ['from:a,', { message: 'a value is missing after from:' }],
    ['a "b', { message: 'a closing " is missing', at: 2, length: 2 }],
    ['(a OR b', { message: 'a closing ) is missing', at: 0, length: 1 }],
    ['a)', { message: 'there is no ( for this )', at: 1, length: 1 }],
    ['a OR', { message: 'something is missing at the end', at: 4, length: 0 }],
    ['OR a', { message: 'a condition is missing before OR', at: 0, length: 2 }],
    ['()', { message: 'a condition is missing before )', at: 1 }],
    ['transport:udb', { suggestion: 'UDP', at: 10 }],
    ['('.repeat(50) + 'a', { message: 'too many ( or - inside each other' }],
    ['a '.repeat(65), { message: 'a search may have 64 conditions' }],
    ['x'.repeat(2001), { message: 'a search may have 2000 characters', at: 2000, length: 1 }],
    [`from:${'*a'.repeat(9)}`, { message: /more than 8 \*/ }],
  ]
  for (const [text, problem] of cases) {
    const parsed = messages(text)
    t.notOk(parsed.ok, text)
    if (!parsed.ok) t.match(parsed.problem, problem, text)
  }
  t.match(calls('state:faild'), { ok: false, problem: { suggestion: 'failed', at: 6, length: 5 } })
  t.match(calls('ua:x'), { ok: false, problem: { message: /unknown field `ua`/ } })
})

t.test('anything typed is a query or a problem with its place, never an exception', async (t) => {
  const pieces = [
    'from:',
    'status:5xx',
    '"',
    '\\',
    '-',
    '(',
    ')',
    ' OR ',
    ',',
    '*',
    '..',
    '>',
    'a',
    ':',
    '\u2028',
    '😀',
    ' ',
  ]
  let state = 7
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  for (let n = 0; n < 20_000; n++) {
    const text = Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join('')
    const parsed = messages(text)
    if (!parsed.ok && !(parsed.problem.at >= 0 && parsed.problem.at + parsed.problem.length <= text.length))
      t.fail(`${JSON.stringify(text)}: ${JSON.stringify(parsed.problem)}`)
    const { from, to } = complete(text, random(text.length + 1), messageTable)
    if (!(from >= 0 && to >= from && to <= text.length)) t.fail(JSON.stringify(text))
  }
  t.pass('20,000 random texts')
})

/** `|`: where the cursor is. */
const completed = (text: string, known = {}) => {
  const cursor = text.indexOf('|')
  const { from, to, items } = complete(text.replace('|', ''), cursor, callTable, known)
  return { from, to, inserts: items.map(({ insert }) => insert) }
}

t.test('completion', async (t) => {
  t.same(completed('st|'), { from: 0, to: 2, inserts: ['state:', 'code:'] })
  t.same(completed('from:1 -sta| x'), { from: 8, to: 11, inserts: ['state:', 'code:'] })
  t.same(completed('state:f|'), { from: 6, to: 7, inserts: ['failed'] })
  t.same(completed('state:busy,c|'), {
    from: 11,
    to: 12,
    inserts: ['completed', 'cancelled', 'in-call', 'rejected'],
  })
  t.same(completed('trunk:|', { trunk: ['acme', 'b c'] }), { from: 6, to: 6, inserts: ['acme', '"b c"'] })
  t.same(completed('trunk:"b |', { trunk: ['acme', 'b c'] }), { from: 6, to: 9, inserts: ['"b c"'] })
  t.same(completed('(pd|'), { from: 1, to: 3, inserts: ['pdd:'] })
  t.same(completed('nonsense:|').inserts, [])
  t.ok(complete('', 0, messageTable).items.length > 20)
  for (const value of ['b c', 'a"b', 'x,y', '*98', '-1', '>5', 'a..b', '(a)']) {
    const { items } = complete('trunk:', 6, callTable, { trunk: [value] })
    t.match(
      calls(`trunk:${items[0]?.insert}`),
      { ok: true, value: { test: { op: 'equals', text: value } } },
      value,
    )
  }
})

const like = (text: string, pattern: string) => matchesParts(text, pattern.split('*'))

t.test('patterns', async (t) => {
  for (const [text, pattern] of [
    ['abc', 'a*'],
    ['abc', '*c'],
    ['abc', 'a*c'],
    ['abc', '*'],
    ['', '*'],
    ['aXbYc', 'a*b*c'],
    ['abab', '*ab'],
  ] as const)
    t.ok(like(text, pattern), `${text} ${pattern}`)
  for (const [text, pattern] of [
    ['abc', 'b*'],
    ['ab', 'ab*b'],
    ['a', 'a*a'],
    ['acb', 'a*b*c'],
  ] as const)
    t.notOk(like(text, pattern), `${text} ${pattern}`)
  t.equal(toLikePattern(['50%', '_\\']), '50\\%%\\_\\\\')
  t.equal(parseDuration('1.5s'), 1500)
  t.equal(parseDuration('90'), 90_000)
  t.equal(parseDuration('x'), undefined)
})
