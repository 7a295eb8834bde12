import t from 'tap'
import { parseMessage, type SipMessage } from '../src/message.ts'
import { parseNameAddress } from '../src/name-address.ts'
import { toBytes, toMessage } from './conversation.ts'

/** Pieces of header lines, sound and not: names in every spelling, and what can stand around a colon. */
const pieces = [
  'From',
  'fROM',
  'f',
  'F',
  'To',
  't',
  'Call-ID',
  'Call\rID',
  'CALL-ID',
  'i',
  'CSeq',
  'Via',
  'v',
  'X-1',
  'x\x11',
  'Frommage',
  'Fro',
  'k\u00e4se',
  ':',
  ': ',
  ' :',
  '\t:',
  '\r:',
  ' ',
  '<sip:a@b>;tag=1',
  '"n" <sip:a@b:1>',
  '<sip:u:p@h.example:5060;a=b:c>;tag="q"',
  '<sip:@h;x=y@z>',
  '<sip:h',
  '1 ACK',
  '\r\n',
  '\n',
  '\r\n ',
  '\n\t',
  '\r',
  '\0',
]

const wanted = [
  'from',
  'to',
  'call-id',
  'cseq',
  'via',
  'x-1',
  'x\x11',
  'frommage',
  'call\rid',
  'f',
  '',
  'From',
]

function createRandom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % limit
  }
}

function parse(bytes: Uint8Array): SipMessage | undefined {
  const result = parseMessage(bytes)
  return result.ok ? result.message : undefined
}

t.test('a field has the value of the first header of its name in the list of all', async (t) => {
  const random = createRandom(3)
  let found = 0
  for (let round = 0; round < 20_000; round += 1) {
    let text = 'ACK sip:a@b SIP/2.0\r\n'
    for (let left = random(24); left > 0; left -= 1) text += pieces[random(pieces.length)] ?? ''
    const bytes = toBytes(text)
    const listed = parse(bytes)
    const asked = parse(bytes)
    if (!listed || !asked) continue
    const { headers } = listed
    const first = (name: string): string => headers.find(({ canonical }) => canonical === name)?.value ?? ''
    const fields = [asked.callId, asked.from, asked.to, asked.cseq === null]
    const plain = [
      first('call-id'),
      parseNameAddress(first('from')),
      parseNameAddress(first('to')),
      !/^\d+\s+\S/.test(first('cseq')),
    ]
    if (JSON.stringify(fields) !== JSON.stringify(plain)) t.same(fields, plain, JSON.stringify(text))
    for (const name of wanted) {
      const values = headers.filter(({ canonical }) => canonical === name).map(({ value }) => value)
      found += values.length
      if (asked.header(name) !== values[0])
        t.equal(asked.header(name), values[0], JSON.stringify([text, name]))
      const all = asked.headerValues(name)
      if (all.join('|') !== values.join('|')) t.same(all, values, JSON.stringify([text, name]))
    }
  }
  t.ok(found > 10_000, `${found} headers`)
})

t.test('fields are the same before and after the list of headers was asked for', async (t) => {
  const text =
    'ACK sip:a@b SIP/2.0\r\nX:\r\n v: none\r\nCall\r\ncseq\t: 7\r\n ACK\r\nV: SIP/2.0/UDP c:1;branch=d\r\nF : <sip:e@f>;tag=g\r\nTO:<sip:h>\r\nI:\r\n j\r\n\r\n'
  for (const isLater of [false, true]) {
    const message = toMessage(text)
    if (isLater) t.equal(message.headers.length, 7)
    t.equal(message.callId, 'j')
    t.same(message.cseq, { number: 7, method: 'ACK' })
    t.equal(message.branch, 'd')
    t.equal(message.sentBy, 'c:1')
    t.equal(message.fromTag, 'g')
    t.equal(message.from.uri, 'sip:e@f')
    t.equal(message.to.host, 'h')
    t.equal(message.toTag, '')
    t.same(message.problems, ['a header line without a colon'])
  }
})

t.test('a line end is no part of a name, a blank before the colon is none either', async (t) => {
  const message = toMessage('ACK sip:a@b SIP/2.0\r\nFrom\r\n:x\r\nCall\rID: y\r\nTO \t: <sip:c@d>\r\n\r\n')
  t.equal(message.from.uri, '')
  t.equal(message.callId, '')
  t.equal(message.to.uri, 'sip:c@d')
  t.same(
    message.headers.map(({ canonical, value }) => [canonical, value]),
    [
      ['', 'From'],
      ['', 'x'],
      ['call\rid', 'y'],
      ['to', '<sip:c@d>'],
    ],
  )
})

t.test('a CR that the end of the bytes cuts off from its LF ends no headers', async (t) => {
  const cut = toMessage('ACK sip:a@b SIP/2.0\r\nTo: x\r\n\r')
  t.same(
    cut.headers.map(({ name, value, raw }) => [name, value, raw]),
    [
      ['To', 'x', 'To: x'],
      ['', '', '\r'],
    ],
  )
  t.ok(cut.problems.includes('the headers do not end: no empty line'))
})

t.test('control characters are found at each place among four bytes, and not in the body', async (t) => {
  for (let before = 0; before < 9; before += 1) {
    const odd = (text: string): readonly string[] =>
      toMessage(`ACK sip:a@b SIP/2.0\r\nX: ${'x'.repeat(before)}${text}\r\n\r\n\0\x01\rz`).problems.filter(
        (problem) => /CR without|NUL|control/.test(problem),
      )
    t.same(odd('\t~'), [])
    t.same(odd('\0'), ['a NUL byte in the headers'])
    t.same(odd('\x1f'), ['a control character in the headers'])
    t.same(odd('\ry'), ['a CR without LF'])
  }
})
