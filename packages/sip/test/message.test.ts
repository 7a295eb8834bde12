import t from 'tap'
import { looksLikeSip, parseMessage } from '../src/message.ts'
import { toBytes, toMessage } from './conversation.ts'

const crlf = (...lines: string[]): string => lines.join('\r\n')

const invite = crlf(
  'INVITE sip:1002@pbx.example.com;user=phone SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.10:5061;rport=5061;branch=z9hG4bK1;received=198.51.100.7',
  'v: SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bK0, SIP/2.0/WSS abc.invalid;branch=z9hG4bK00',
  'f: "Alice \\"A\\" <x>" <sip:1001:secret@pbx.example.com:5060;transport=udp>;x="a;tag=no";tag=abc',
  't: sip:1002@pbx.example.com;tag=def',
  'i: call-1@192.0.2.10',
  'CSEQ: 0042 INVITE',
  'User-Agent: Phone',
  '\t 1.0',
  'l: 4',
  '',
  'abcd',
)

/** Start line, headers and body put together again. */
function reassemble(bytes: Uint8Array): Uint8Array {
  const message = toMessage(bytes)
  const parts: Uint8Array[] = []
  let at = 0
  const first = message.headers[0]?.start ?? message.bodyStart
  parts.push(bytes.subarray(0, first))
  at = first
  for (const { start, end } of message.headers) {
    if (start !== at) throw new Error(`hole before ${start}`)
    parts.push(bytes.subarray(start, end))
    at = end
  }
  parts.push(bytes.subarray(at, message.bodyStart), message.body, message.trailing)
  return Uint8Array.from(parts.flatMap((part) => [...part]))
}

t.test('reads every field that people look at', async (t) => {
  const message = toMessage(invite)
  t.equal(message.kind, 'request')
  t.equal(message.method, 'INVITE')
  t.equal(message.requestUri, 'sip:1002@pbx.example.com;user=phone')
  t.equal(message.status, null)
  t.equal(message.callId, 'call-1@192.0.2.10')
  t.same(message.cseq, { number: 42, method: 'INVITE' })
  t.same(message.from, {
    displayName: 'Alice "A" <x>',
    uri: 'sip:1001:secret@pbx.example.com:5060;transport=udp',
    user: '1001',
    host: 'pbx.example.com',
    tag: 'abc',
  })
  t.same(message.to, {
    displayName: '',
    uri: 'sip:1002@pbx.example.com',
    user: '1002',
    host: 'pbx.example.com',
    tag: 'def',
  })
  t.equal(message.branch, 'z9hG4bK1')
  t.same(message.via, [
    {
      transport: 'UDP',
      host: '192.0.2.10',
      port: 5061,
      branch: 'z9hG4bK1',
      received: '198.51.100.7',
      rport: 5061,
    },
    { transport: 'TCP', host: '2001:db8::9', port: 5070, branch: 'z9hG4bK0', received: '', rport: null },
    { transport: 'WSS', host: 'abc.invalid', port: null, branch: 'z9hG4bK00', received: '', rport: null },
  ])
  t.equal(message.userAgent, 'Phone 1.0')
  t.equal(new TextDecoder().decode(message.body), 'abcd')
  t.same(message.problems, [])
  t.same(reassemble(toBytes(invite)), toBytes(invite))
})

t.test('keeps headers in order, as written, folds and all', async (t) => {
  const message = toMessage(invite)
  t.same(
    message.headers.map(({ name, canonical }) => [name, canonical]),
    [
      ['Via', 'via'],
      ['v', 'via'],
      ['f', 'from'],
      ['t', 'to'],
      ['i', 'call-id'],
      ['CSEQ', 'cseq'],
      ['User-Agent', 'user-agent'],
      ['l', 'content-length'],
    ],
  )
  t.equal(message.headers[6]?.raw, 'User-Agent: Phone\r\n\t 1.0')
  t.equal(message.headers[6]?.value, 'Phone 1.0')
  t.equal(message.headerValues('via').length, 2)
  t.equal(message.header('subject'), undefined)
})

t.test('reads a response, and its method from CSeq', async (t) => {
  const message = toMessage('SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\nServer: PBX\r\n\r\n')
  t.equal(message.kind, 'response')
  t.equal(message.status, 486)
  t.equal(message.reason, 'Busy Here')
  t.equal(message.method, 'INVITE')
  t.equal(message.userAgent, 'PBX')
  t.equal(toMessage('SIP/2.0 200 \r\n\r\n').reason, '')
  t.equal(toMessage('SIP/2.0 200\r\n\r\n').status, 200)
})

t.test('puts up with broken start lines and says what is wrong', async (t) => {
  const cases: [string, string][] = [
    ['OPTIONS sip:a@b SIP/7.0', 'the version is not SIP/2.0'],
    ['OPTIONS sip:a@b; lr SIP/2.0', 'the Request-URI has spaces in it'],
    ['OPTIONS  sip:a@b  SIP/2.0', 'extra spaces in the start line'],
    ['OPTIONS sip:a@b SIP/2.0  ', 'extra spaces in the start line'],
    ['OPTIONS sip:a@b', 'the start line has no SIP version'],
    ['SIP/2.0 4294967301 no', 'the status code is not a number from 100 to 999'],
    ['SIP/2.0 999 far', 'the status code is above 699'],
    ['\r\n\r\nOPTIONS sip:a@b SIP/2.0', 'line ends before the start line'],
  ]
  for (const [line, problem] of cases) {
    const message = toMessage(`${line}\r\nCall-ID: x\r\n\r\n`)
    t.ok(message.problems.includes(problem), `${line}: ${message.problems.join(', ')}`)
    t.equal(message.callId, 'x')
  }
  t.equal(
    toMessage("!odd-Method0123*_+`.%indeed'~ sip:a@b SIP/2.0\r\n\r\n").method,
    "!odd-Method0123*_+`.%indeed'~",
  )
})

t.test('what is not SIP is refused with a sentence', async (t) => {
  for (const text of [
    '',
    '\r\n\r\n',
    'GET / HTTP/1.1\r\n\r\n',
    'hello',
    'SIP/2.0',
    '\0\0\0\0',
    'INVITE',
    ' INVITE sip:a SIP/2.0',
  ]) {
    const result = parseMessage(toBytes(text))
    t.equal(result.ok, false, JSON.stringify(text))
    t.equal(looksLikeSip(toBytes(text)), false)
  }
  t.equal(looksLikeSip(toBytes(invite)), true)
  t.equal(looksLikeSip(toBytes('SIP/2.0 200 OK\r\n')), true)
  t.equal(looksLikeSip(new Uint8Array([0x16, 0x03, 0x01, 0x02, 0x00])), false)
})

function parse(length: string, body: string) {
  return toMessage(`OPTIONS sip:a@b SIP/2.0\r\n${length}\r\n\r\n${body}`)
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes)
}

t.test('Content-Length is never believed beyond the bytes that came', async (t) => {
  const big = parse('Content-Length: 1000000000000', 'abc')
  t.equal(text(big.body), 'abc')
  t.ok(big.problems.includes('Content-Length says 1000000000000 bytes, 3 came'))

  const small = parse('l: 1', 'abc')
  t.equal(text(small.body), 'a')
  t.equal(text(small.trailing), 'bc')
  t.ok(small.problems.includes('Content-Length says 1 bytes, 3 came: the rest is not body'))

  const negative = parse('Content-Length: -1', 'abc')
  t.equal(text(negative.body), 'abc')
  t.ok(negative.problems.includes('Content-Length is not a number'))

  const two = parse('Content-Length: 1\r\nContent-Length: 2', 'abc')
  t.equal(text(two.body), 'abc', 'two that differ: all that came is shown')
  t.ok(two.problems.includes('Content-Length is there 2 times'))

  const same = parse('Content-Length: 2\r\nContent-Length: 2', 'abc')
  t.equal(text(same.body), 'ab', 'pjsip prints it twice; equal ones are believed')

  t.equal(text(parse('X: y', 'a\0b').body), 'a\0b')
})

t.test('missing and doubled headers are named', async (t) => {
  const none = toMessage('OPTIONS sip:a@b SIP/2.0\r\n\r\n')
  t.same(none.problems, [
    'Via is missing',
    'From is missing',
    'To is missing',
    'Call-ID is missing',
    'CSeq is missing',
  ])
  t.equal(none.callId, '')
  t.equal(none.cseq, null)
  t.equal(none.branch, '')
  t.equal(none.from.uri, '')
  const odd = toMessage('OPTIONS sip:a@b SIP/2.0\r\nCall-ID: 1\r\ni: 2\r\nCSeq: 99999999999 INVITE\r\n\r\n')
  t.equal(odd.callId, '1')
  t.ok(odd.problems.includes('Call-ID is there 2 times'))
  t.ok(odd.problems.includes('CSeq number is above 2147483647'))
  t.equal(toMessage('OPTIONS sip:a@b SIP/2.0\r\nCSeq: x\r\n\r\n').cseq, null)
  t.ok(
    toMessage('OPTIONS sip:a@b SIP/2.0\r\nCSeq: 1 INVITE\r\n\r\n').problems.includes(
      'CSeq method is not the method of the request',
    ),
  )
})

t.test('hostile bytes: nothing is lost and each is remarked on', async (t) => {
  const cases: [string, string, Uint8Array][] = [
    ['LF line ends', 'line ends are LF, not CR LF', toBytes('OPTIONS sip:a@b SIP/2.0\nCall-ID: x\n\nbody')],
    ['NUL', 'a NUL byte in the headers', toBytes('OPTIONS sip:a@b SIP/2.0\r\nCall-ID: x\0y\r\n\r\n')],
    [
      'ESC',
      'a control character in the headers',
      toBytes('OPTIONS sip:a@b SIP/2.0\r\nCall-ID: \x1b[31m\r\n\r\n'),
    ],
    ['bare CR', 'a CR without LF', toBytes('OPTIONS sip:a@b SIP/2.0\r\nCall-ID: x\ry\r\n\r\n')],
    [
      'no colon',
      'a header line without a colon',
      toBytes('OPTIONS sip:a@b SIP/2.0\r\njunk\r\nCall-ID: x\r\n\r\n'),
    ],
    ['no name', 'a header without a name', toBytes('OPTIONS sip:a@b SIP/2.0\r\n: junk\r\n\r\n')],
    [
      'stray fold',
      'a folded line before the first header',
      toBytes('OPTIONS sip:a@b SIP/2.0\r\n x: y\r\n\r\n'),
    ],
    ['cut off', 'the headers do not end: no empty line', toBytes('OPTIONS sip:a@b SIP/2.0\r\nCall-ID: x')],
    [
      'bad UTF-8',
      'the headers are not valid UTF-8',
      Uint8Array.from([
        ...toBytes('OPTIONS sip:a@b SIP/2.0\r\nSubject: '),
        0xff,
        0xc3,
        0x28,
        ...toBytes('\r\nCall-ID: x\r\n\r\n'),
      ]),
    ],
  ]
  for (const [name, problem, bytes] of cases) {
    const message = toMessage(bytes)
    t.ok(message.problems.includes(problem), `${name}: ${message.problems.join(', ')}`)
    t.same(reassemble(bytes), bytes, name)
  }
})

t.test('text beyond ASCII comes out right, with a binary body too', async (t) => {
  const bytes = Uint8Array.from([
    ...toBytes('MESSAGE sip:bär@b SIP/2.0\r\nFrom: "Jörg ☎" <sip:jörg@b>;tag=ü\r\nX-Ä: ö\r\nl: 3\r\n\r\n'),
    0xff,
    0x00,
    0xfe,
  ])
  const message = toMessage(bytes)
  t.equal(message.requestUri, 'sip:bär@b')
  t.equal(message.from.displayName, 'Jörg ☎')
  t.equal(message.from.tag, 'ü')
  t.equal(message.headers[1]?.name, 'X-Ä')
  t.equal(message.startLine, 'MESSAGE sip:bär@b SIP/2.0')
  t.same([...message.body], [0xff, 0, 0xfe])
  t.same(reassemble(bytes), bytes)
  t.notOk(message.problems.some((problem) => problem.includes('UTF-8')))
  const asciiHead = Uint8Array.from([...toBytes('MESSAGE sip:a@b SIP/2.0\r\nCall-ID: x\r\n\r\n'), 0xe4])
  t.equal(toMessage(asciiHead).callId, 'x')
  t.notOk(toMessage(asciiHead).problems.some((problem) => problem.includes('UTF-8')))
})

t.test('names that mean something to JavaScript are names like any other', async (t) => {
  const message = toMessage(
    'OPTIONS sip:a@b SIP/2.0\r\n__proto__: 1\r\nconstructor: 2\r\ntoString: 3\r\nCall-ID: __proto__\r\nFrom: <sip:constructor@b>;__proto__=x;tag=__proto__\r\n\r\n',
  )
  t.equal(message.header('__proto__'), '1')
  t.equal(message.header('constructor'), '2')
  t.equal(message.header('tostring'), '3')
  t.equal(message.callId, '__proto__')
  t.equal(message.from.tag, '__proto__')
})

t.test('white space where the grammar allows it', async (t) => {
  const message = toMessage(
    crlf(
      'INVITE sip:a@b SIP/2.0',
      'TO :',
      ' sip:a@b ;   tag    = 1918',
      'from   : "J \\\\\\""       <sip:j@b>',
      '  ;',
      '  tag = 98',
      'cseq: 0009',
      '  INVITE',
      'Via  : SIP  /   2.0',
      ' /UDP',
      '    192.0.2.2;branch=390',
      '',
      '',
    ),
  )
  t.equal(message.to.tag, '1918')
  t.equal(message.from.tag, '98')
  t.equal(message.from.displayName, 'J \\"')
  t.same(message.cseq, { number: 9, method: 'INVITE' })
  t.match(message.via[0], { transport: 'UDP', host: '192.0.2.2', branch: '390' })
})

t.test(
  'the largest datagram, a thousand headers, five thousand Vias: all kept, and remarked on',
  async (t) => {
    const vias = Array.from({ length: 1400 }, (_, i) => `SIP/2.0/UDP h;branch=z9hG4bK${i}`).join(',')
    const many = Array.from({ length: 5000 }, (_, i) => `v:SIP/2.0/UDP h;branch=${i}`).join('\r\n')
    const headers = Array.from({ length: 1000 }, (_, i) => `X-${i}: ${i}`).join('\r\n')
    const list = toMessage(`OPTIONS sip:a@b SIP/2.0\r\nVia: ${vias}\r\n\r\n`)
    t.equal(list.via.length, 1400)
    t.ok(list.problems.includes('1400 Via entries'))
    const quoted = toMessage(`OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;x="${','.repeat(100)}"\r\n\r\n`)
    t.notOk(quoted.problems.some((problem) => problem.includes('Via entries')))
    const five = toMessage(`OPTIONS sip:a@b SIP/2.0\r\n${many}\r\n\r\n`)
    t.equal(five.via.length, 5000)
    t.ok(five.problems.includes('5000 Via entries'))
    const thousand = toMessage(`OPTIONS sip:a@b SIP/2.0\r\n${headers}\r\n\r\n`)
    t.equal(thousand.headers.length, 1000)
    t.ok(thousand.problems.includes('1000 headers'))
    const longId = 'x'.repeat(60_000)
    const largest = `OPTIONS sip:a@b SIP/2.0\r\nCall-ID: ${longId}\r\n\r\n`.padEnd(65_507, 'z')
    t.equal(toMessage(largest).callId, longId)
  },
)

/** Microseconds of processor time to read it four times. */
function work(text: string): number {
  const bytes = toBytes(`OPTIONS sip:a@b SIP/2.0\r\n${text}\r\n\r\n`)
  const started = process.cpuUsage()
  for (let i = 0; i < 4; i++) {
    const message = toMessage(bytes)
    void [
      message.from,
      message.to,
      message.via,
      message.branch,
      message.headers,
      message.problems,
      message.body,
    ]
  }
  const used = process.cpuUsage(started)
  return used.user + used.system
}

/** Work grows with the length, not with its square: counted in the time of a text half as long, which any machine has. */
t.test('no input makes reading slow out of proportion', async (t) => {
  const attacks: [string, (n: number) => string][] = [
    ['spaces', (n) => `From: ${' '.repeat(n)}x`],
    ['spaces and folds', (n) => `From: a\r\n ${' '.repeat(n)}x`],
    ['commas', (n) => `Via: ${','.repeat(n)}`],
    ['quotes', (n) => `From: ${'"'.repeat(n)}`],
    ['backslashes', (n) => `From: "${'\\'.repeat(n)}`],
    ['semicolons', (n) => `From: <sip:a@b>${';'.repeat(n)}`],
    ['semicolons and quotes', (n) => `From: <sip:a@b>${';"'.repeat(n / 2)}`],
    ['parameters that nearly fit', (n) => `From: <sip:a@b>${';t'.repeat(n / 2)}`],
    ['opening brackets', (n) => `From: ${'<'.repeat(n)}`],
    ['lines without colon', (n) => 'a\r\n'.repeat(n / 3)],
    ['empty folds', (n) => `From: a${'\r\n '.repeat(n / 3)}`],
    ['colons', (n) => `From: <sip:${':'.repeat(n)}>`],
    ['at signs', (n) => `From: <sip:${'@'.repeat(n)}>`],
  ]
  for (const [name, make] of attacks) {
    work(make(4000))
    const short = work(make(8000))
    const long = work(make(64_000))
    // Eight times the text: eight times the work if linear, sixty-four (and many seconds) if quadratic.
    t.ok(long < 500_000 || long < short * 32, `${name}: ${short} then ${long} µs of processor`)
  }
})

t.test('random damage never throws and never loses a byte', async (t) => {
  // A fixed generator: a failure can be repeated.
  let state = 12_345
  const random = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff
    return state % limit
  }
  const original = toBytes(invite)
  let parsed = 0
  for (let round = 0; round < 3000; round++) {
    const bytes = Uint8Array.from(original)
    for (let hit = 0; hit <= round % 12; hit++) bytes[random(bytes.length)] = random(256)
    const cut = bytes.subarray(0, round % 3 === 0 ? random(bytes.length) : bytes.length)
    const result = parseMessage(cut)
    if (!result.ok) continue
    parsed++
    const { message } = result
    void [
      message.from,
      message.to,
      message.via,
      message.cseq,
      message.problems,
      message.userAgent,
      message.reason,
    ]
    if (!Buffer.from(reassemble(cut)).equals(Buffer.from(cut))) t.fail(`lost bytes in round ${round}`)
  }
  t.ok(parsed > 1000, `${parsed} of 3000 were still SIP`)
})
