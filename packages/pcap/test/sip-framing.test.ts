import t from 'tap'
import { ipv4Text } from '../src/address.ts'
import { headersEnd, sipStart, splitDatagram } from '../src/reassembly/sip-framing.ts'
import { bytesOf, createRandom, join, sipRequest } from './samples.ts'

/** The first empty line, looked for at every byte. */
function plainHeadersEnd(bytes: Uint8Array, from: number, end: number): number {
  for (let at = from; at < end; at += 1) {
    if (bytes[at] !== 10) continue
    if (at + 1 < end && bytes[at + 1] === 10) return at + 2
    if (at + 2 < end && bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3
  }
  return -1
}

t.test('the empty line is found wherever it stands and however it is written', async (t) => {
  for (const line of ['\n\n', '\r\n\r\n', '\n\r\n', '\r\n\n'])
    for (let before = 0; before < 40; before += 1)
      for (const behind of [0, 1, 7, 30]) {
        const bytes = bytesOf(`${'x'.repeat(before)}${line}${'y'.repeat(behind)}`)
        t.equal(headersEnd(bytes, 0, bytes.length), before + line.length, `${before} bytes before`)
        for (let end = before; end < bytes.length; end += 1)
          t.equal(headersEnd(bytes, 0, end), plainHeadersEnd(bytes, 0, end), `cut at ${end}`)
      }
})

t.test('random line ends and control characters', async (t) => {
  const random = createRandom(11)
  const letters = bytesOf('\r\r\n\n\n\0\t\x0b\x0eabcdefghijkl')
  for (let round = 0; round < 50_000; round += 1) {
    const bytes = Uint8Array.from({ length: random(80) }, () => letters[random(letters.length)] ?? 0)
    const from = random(bytes.length + 1)
    const end = from + random(bytes.length - from + 1)
    const found = headersEnd(bytes, from, end)
    const wanted = plainHeadersEnd(bytes, from, end)
    if (found !== wanted) t.equal(found, wanted, JSON.stringify([...bytes, from, end]))
  }
})

t.test('a start line is told at each of its lengths', async (t) => {
  const line = bytesOf('OPTIONS sip:a@b SIP/2.0\r\n')
  for (let end = 0; end < line.length; end += 1) t.equal(sipStart(line, 0, end), 'more', `${end} bytes`)
  t.equal(sipStart(line, 0, line.length), 'yes')
})

t.test('messages of one datagram: the last keeps what follows beyond the bound', async (t) => {
  const one = sipRequest('OPTIONS', 'many')
  const pieces = splitDatagram(join(...Array.from({ length: 70 }, () => one)))
  t.equal(pieces.length, 64)
  t.ok(pieces.every(({ isSip, lineEnds }) => isSip && lineEnds === 0))
  t.equal(pieces.at(-1)?.bytes.length, 7 * one.length)
  const spaced = splitDatagram(join(bytesOf('\r\n'), one, bytesOf('\r\n\r\n'), one))
  t.same(
    spaced.map(({ bytes, lineEnds }) => [bytes.length, lineEnds]),
    [
      [one.length, 2],
      [one.length, 4],
    ],
  )
})

t.test(
  'a second message is found behind bodies of every length, and none where a version is no start line',
  async (t) => {
    const slashes = '/RTP/AVP sip/ SIP/2 /.SIP/x.0 '
    for (let length = 0; length < 40; length += 1)
      for (const offset of [0, 1, 5]) {
        const body = slashes.repeat(2).slice(0, length)
        const head = 'BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP c'
        const one = `${head}\r\nContent-Length: ${length}\r\n\r\n${body}`
        // A view into a larger memory, which goes on with what must not be read.
        const view = (text: string): Uint8Array =>
          bytesOf(`${'/'.repeat(offset)}${text}SIP/2.0 200 OK\r\n\r\n`).subarray(offset, offset + text.length)
        const sizes = (text: string): number[] => splitDatagram(view(text)).map(({ bytes }) => bytes.length)
        t.same(sizes(one), [one.length], `alone with ${length}`)
        t.same(sizes(one + one), [one.length, one.length], `two with ${length}`)
        t.same(sizes(`${one}sip/2.0 180 R\r\n\r\n`), [one.length, 17], `a response behind ${length}`)
        t.same(sizes(`${one}x SIP/2.0`), [one.length + 9], `no start line behind ${length}`)
        t.same(sizes(`${head}\n\n${body}`), [head.length + 2 + length], 'no length')
        t.same(sizes(head), [head.length], 'no empty line')
      }
  },
)

t.test('every IPv4 address has its own text, those that share a place too', async (t) => {
  const random = createRandom(5)
  for (let round = 0; round < 100_000; round += 1) {
    const bytes = Uint8Array.from({ length: 4 }, () => (random(2) === 0 ? random(3) : random(256)))
    const text = ipv4Text(bytes, 0)
    if (text !== bytes.join('.') || text !== ipv4Text(bytes, 0)) t.equal(text, bytes.join('.'))
  }
  t.equal(ipv4Text(new Uint8Array(4), 0), '0.0.0.0')
})
