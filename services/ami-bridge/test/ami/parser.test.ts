import t from 'tap'
import { type AmiBlock, field, isContradictory, rawField } from '../../src/ami/block.ts'
import { createAmiParser, maxBlockBytes, maxBlockLines, maxOutputLines } from '../../src/ami/parser.ts'

const banner = 'Asterisk Call Manager/11.0.0\r\n'

function parse(chunks: readonly (string | Buffer)[]) {
  const blocks: AmiBlock[] = []
  const banners: string[] = []
  const parser = createAmiParser({
    onBanner: (line) => void banners.push(line),
    onBlock: (block) => void blocks.push(block),
  })
  for (const chunk of chunks) parser.push(typeof chunk === 'string' ? Buffer.from(chunk, 'latin1') : chunk)
  return { blocks, banners, counters: parser.counters }
}

const one = (text: string) => parse([banner, text])

const recorded = [
  banner,
  'Response: Success\r\nActionID: 1\r\nMessage: Authentication accepted\r\n\r\n',
  'Event: FullyBooted\r\nPrivilege: system,all\r\nStatus: Fully Booted\r\n\r\n',
  'Response: Error\r\nActionID: x6\r\nMessage: No Contacts found\r\n\r\n\r\n',
  'Event: Newchannel\r\nChannel: PJSIP/phone-00000001\r\nCallerIDName: M\xc3\xbcller\nlone line feed\r\n\n',
  'Event: Hangup\r\nChannel: PJSIP/phone-00000001\r\nCause: 16\r\n\r\n',
  'Response: Success\r\nActionID: 2\r\nMessage: Command output follows\r\nOutput: SIP/2.0 200 OK\r\r\nOutput: \r\r\nOutput: \r\n\r\n',
  'Response: Follows\r\nPrivilege: Command\r\nActionID: 3\r\nfirst: line\nsecond\n--END COMMAND--\r\n\r\n',
].join('')

t.test('a recorded session is read the same however the bytes were split', (t) => {
  const whole = parse([recorded])
  t.equal(whole.banners[0], 'Asterisk Call Manager/11.0.0')
  t.same(
    whole.blocks.map((block) => block.name),
    ['Success', 'FullyBooted', 'Error', 'Newchannel', 'Hangup', 'Success', 'Follows'],
  )
  t.equal(field(whole.blocks[3] as AmiBlock, 'calleridname'), 'Müller\nlone line feed')
  t.same(whole.blocks[5]?.output, ['SIP/2.0 200 OK\r', '\r', ''])
  t.same(whole.blocks[6]?.output, ['first: line', 'second'])
  const wanted = JSON.stringify(whole)
  for (let at = 1; at < recorded.length; at++) {
    const split = JSON.stringify(parse([recorded.slice(0, at), recorded.slice(at)]))
    if (split !== wanted) t.equal(split, wanted, `split at ${at}`)
  }
  t.equal(JSON.stringify(parse(Array.from(recorded))), wanted, 'byte by byte')
  t.end()
})

t.test('a block above its cap goes, the next one is read, at every split of the end', (t) => {
  const floods = [
    `Event: Long\r\nValue: ${'x'.repeat(200_000)}\r\n\r\n`,
    `Event: Many\r\n${'Key: value\r\n'.repeat(10_000)}\r\n`,
    `Event: Endless\r\n${'x'.repeat(maxBlockBytes + 2)}`,
  ]
  for (const flood of floods) {
    const text = `${flood}\r\nEvent: Next\r\nKey: value\r\n\r\n`
    const whole = one(text)
    t.same(
      whole.blocks.map((block) => block.name),
      ['Next'],
    )
    t.equal(whole.counters.oversized, 1)
    for (let at = text.length - 40; at < text.length; at++)
      t.equal(one(text).blocks.length, parse([banner, text.slice(0, at), text.slice(at)]).blocks.length)
  }
  t.end()
})

t.test('exactly the cap is still read', (t) => {
  const lines = 'Key: value\r\n'.repeat(maxBlockLines - 1)
  t.equal(one(`Event: Full\r\n${lines}\r\n`).blocks[0]?.fields.length, maxBlockLines)
  t.equal(one(`Event: Over\r\nKey: value\r\n${lines}\r\n`).blocks.length, 0)
  t.end()
})

t.test('5,000 lines of command output arrive in order, empty ones and a printed end mark among them', (t) => {
  const lines = Array.from({ length: maxOutputLines }, (_, i) => (i % 7 === 0 ? '' : `line ${i}`))
  lines[4_000] = '--END COMMAND--'
  const text = `Response: Success\r\nActionID: 9\r\nMessage: Command output follows\r\n${lines.map((line) => `Output: ${line}\r\n`).join('')}\r\n`
  const { blocks } = one(text)
  t.same(blocks[0]?.output, lines)
  t.notOk(blocks[0]?.isTruncated)
  const over = one(text.replace('Output: line 1\r\n', 'Output: line 1\r\nOutput: more\r\n'))
  t.ok(over.blocks[0]?.isTruncated, 'an answer above the cap comes short and says so')
  t.equal(rawField(over.blocks[0] as AmiBlock, 'ActionID'), '9')
  t.end()
})

t.test('a block that says twice who it is was not written by Asterisk', (t) => {
  const forged = one('Event: Newchannel\r\nCallerIDName: x\r\nEvent: Hangup\r\nChannel: a\r\n\r\n').blocks[0]
  t.ok(forged && isContradictory(forged))
  const honest = one('Event: DialBegin\r\nChannel: a\r\nDestChannel: b\r\nVariable: 1\r\nVariable: 2\r\n\r\n')
    .blocks[0]
  t.notOk(honest && isContradictory(honest))
  t.end()
})

t.test('random bytes never throw and never grow the parser without bound', (t) => {
  let seed = 7
  const random = () => (seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648)
  const words = [
    'Event: ',
    'Response: ',
    'Output: ',
    '\r\n',
    '\n',
    '\r',
    ':',
    'ActionID: 1',
    '\0',
    '\xff',
    'Follows',
    'x'.repeat(3_000),
  ]
  for (let round = 0; round < 300; round++) {
    const text = Array.from({ length: 60 }, () => words[random() % words.length]).join('')
    const at = random() % text.length
    t.equal(JSON.stringify(one(text)), JSON.stringify(parse([banner, text.slice(0, at), text.slice(at)])))
  }
  t.end()
})
