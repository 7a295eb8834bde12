import { readFile } from 'node:fs/promises'
import t from 'tap'
import { analyseCall, createCallJudge, readCall } from '../../src/call.ts'
import { verdictRules } from '../../src/verdict-rules.ts'
import { answered, LegScript, micros, pbx, phone, trunk } from '../conversation.ts'
import {
  challenge,
  credentials,
  finding,
  has,
  inbound,
  judgesAlike,
  outbound,
  register,
  rules,
  seen,
  troubles,
} from './verdict-testing.ts'

t.test('every rule has an id of its own and says what a page that lists them needs', async (t) => {
  for (const rule of verdictRules) {
    t.match(rule.id, /^[A-Z]\d\d-[a-z0-9-]+$/)
    t.ok(rule.title !== '' && rule.meaning.endsWith('.'), rule.id)
    for (const section of rule.rfc) t.match(section, /^RFC \d{4}(?: \d+(?:\.\d+)*)?$/)
    for (const id of rule.leadsTo ?? [])
      t.ok(
        verdictRules.some((one) => one.id === id),
        `${rule.id} leads to ${id}`,
      )
  }
  t.equal(new Set(verdictRules.map(({ id }) => id)).size, verdictRules.length)
  t.ok(verdictRules.length >= 70)
})

t.test('the table of rules in docs names every rule, and no other as built', async (t) => {
  const table = await readFile(new URL('../../../../docs/verdict-rules.md', import.meta.url), 'utf8')
  const rows = table.split('\n').flatMap((line) => /^\| ([A-Z]\d\d\S*) .*\| (\S+)/.exec(line) ?? [])
  const built = rows.filter((_, index) => index % 3 === 1 && rows[index + 1] !== 'no:')
  t.same(built.toSorted(), verdictRules.map(({ id }) => id).toSorted())
})

t.test('the rules that need only signalling are all there', async (t) => {
  const wanted =
    'R01 R02 R03 R04 R05 R06 R07 R08 R09 R12 N01 N02 N03 N04 N05 N06 N08 N09 A01 A02 A03 A04 F01 F02 F03 F04 F05 F07 F08 F13 F15 F16 F17 F18 S01 S02 S04 S06 S08 D01 D03 D04 D05 D08 D09'
  const numbers = new Set(verdictRules.map(({ id }) => id.slice(0, 3)))
  t.same(
    wanted.split(' ').filter((number) => !numbers.has(number)),
    [],
  )
})

const front = (callId = 'a') =>
  new LegScript({ callId }).request('INVITE', { withSdp: true }).at(0.01).response(100, 'Trying', 'INVITE')
const behind = (callId = 'b', callee = trunk) =>
  new LegScript({ callId, caller: pbx, callee, direction: 'out' }).at(0.1)
const all = (...legs: LegScript[]) =>
  legs.flatMap(({ messages }) => messages).toSorted((a, b) => a.atMicros - b.atMicros)

t.test('the trunk says 486, the caller gets 486: one finding, the cause at the trunk', async (t) => {
  const a = front()
  const b = behind().request('INVITE').at(0.4).response(486, 'Busy Here', 'INVITE')
  a.at(0.41).response(486, 'Busy Here', 'INVITE')
  t.equal(seen(all(a, b), 60).state, 'busy')
  const said = has(t, 'F08-busy', all(a, b), {
    at: 60,
    sentence:
      'acme (203.0.113.9:5060) answered the call to 1002 with 486 Busy Here after 300 ms: the called side is busy.',
  })
  t.equal(said.evidence.length, 4, 'the messages of both legs prove it')
  t.equal(seen(all(a, b), 60).findings.length, 1)
})

t.test('the code may change on the way: 404 behind is 480 in front', async (t) => {
  const a = front()
  const b = behind().request('INVITE').at(0.4).response(404, 'Not Found', 'INVITE')
  a.at(0.41).response(480, 'Temporarily Unavailable', 'INVITE')
  t.same(rules(all(a, b), 60), ['F02-number-not-found'])
})

t.test('nobody answers behind: the 503 in front only passes it on; alone it is all there is', async (t) => {
  const a = front()
  const b = behind()
  for (const at of [0.1, 0.6, 1.6, 3.6, 7.6, 15.6, 31.6]) b.at(at).request('INVITE')
  a.at(32.1).response(503, 'Service Unavailable', 'INVITE')
  t.same(rules(all(a, b), 90), ['N01-invite-unanswered'])
  t.same(rules(a, 90), ['F15-service-unavailable'])
  judgesAlike(t, all(a, b), 90)
})

t.test('the caller gives up while the trunk says only 100: the cause is the trunk', async (t) => {
  const a = front()
  const b = behind().request('INVITE').at(0.15).response(100, 'Trying', 'INVITE')
  a.at(20).request('CANCEL').response(200, 'OK', 'CANCEL').response(487, 'Request Terminated', 'INVITE')
  b.at(20.01).request('CANCEL').response(200, 'OK', 'CANCEL').response(487, 'Request Terminated', 'INVITE')
  const said = has(t, 'N02-only-trying', all(a, b), {
    at: 60,
    side: 'peer',
    sentence:
      'acme (203.0.113.9:5060) took the INVITE for 1002 with 100 Trying and then said nothing; Asterisk (192.0.2.1:5080) gave up after 19.9 s.',
  })
  t.equal(said.severity, 'error')
})

const connected = (leg: LegScript, at: number) =>
  leg
    .at(at)
    .response(180, 'Ringing', 'INVITE')
    .at(at + 1)
    .response(200, 'OK', 'INVITE', { withSdp: true })
    .request('ACK', { toTag: 'callee', branch: `z9hG4bK-ack-${leg.callId}` })
const ended = (leg: LegScript, at: number) =>
  leg.at(at).request('BYE', { cseq: 2, toTag: 'callee' }).response(200, 'OK', 'BYE', { cseq: 2 })

t.test('the first trunk is down, the second takes the call: worth a warning, no error', async (t) => {
  const a = front()
  const b = behind('b').request('INVITE').at(0.3).response(503, 'Service Unavailable', 'INVITE')
  const c = behind('c', { ...trunk, address: '203.0.113.77', name: 'bravo' })
    .at(0.4)
    .request('INVITE', { withSdp: true })
  ended(connected(c, 1), 20)
  ended(connected(a, 1.1), 20.1)
  const { findings, state } = seen(all(a, b, c), 60)
  t.equal(state, 'completed')
  t.same(
    findings.map(({ ruleId, severity }) => [ruleId, severity]),
    [
      ['F15-service-unavailable', 'warning'],
      ['C01-completed', 'ok'],
    ],
  )
  judgesAlike(t, all(a, b, c), 60)
})

t.test('both trunks are down: one finding, which names both', async (t) => {
  const a = front()
  const b = behind('b').request('INVITE').at(0.3).response(503, 'Service Unavailable', 'INVITE')
  const c = behind('c', { ...trunk, address: '203.0.113.77', name: 'bravo' })
    .at(0.4)
    .request('INVITE')
    .at(0.5)
    .response(503, 'Service Unavailable', 'INVITE')
  a.at(0.6).response(503, 'Service Unavailable', 'INVITE')
  has(t, 'F15-service-unavailable', all(a, b, c), {
    at: 60,
    severity: 'error',
    sentence:
      'acme (203.0.113.9:5060) answered the call to 1002 with 503 Service Unavailable after 200 ms: it is overloaded, out of channels or out of service. ' +
      'The same on the leg to bravo (203.0.113.77:5060).',
  })
})

t.test(
  'all phones ring, one answers, one is off, the rest are told so: no trouble worth more than a hint',
  async (t) => {
    const a = front()
    const b = behind('b', { ...phone, address: '192.0.2.21', name: 'bob' }).request('INVITE', {
      withSdp: true,
    })
    const c = behind('c', { ...phone, address: '192.0.2.22', name: 'carol' })
      .request('INVITE')
      .at(0.2)
      .response(180, 'Ringing', 'INVITE')
    const d = behind('d', { ...phone, address: '192.0.2.23', name: 'dave' })
      .request('INVITE')
      .at(0.2)
      .response(480, 'Temporarily Unavailable', 'INVITE')
    ended(connected(b, 1), 20)
    ended(connected(a, 1.1), 20.1)
    c.at(2.1)
      .request('CANCEL', { headers: ['Reason: Q.850;cause=26'] })
      .response(200, 'OK', 'CANCEL')
      .response(487, 'Request Terminated', 'INVITE')
    t.same(troubles(all(a, b, c, d), 60), [])
    t.equal(seen(all(a, b, c, d), 60).findings[0]?.ruleId, 'C01-completed')
    t.equal(finding(all(a, b, c, d), 60, 'S01-cancelled').title, 'Answered elsewhere')
  },
)

t.test('two calls of one phone at the same time do not explain each other', async (t) => {
  const a = new LegScript({ callId: 'a' }).request('INVITE').at(0.2).response(404, 'Not Found', 'INVITE')
  const b = new LegScript({ callId: 'b' }).request('INVITE').at(0.3).response(486, 'Busy Here', 'INVITE')
  t.same(rules(all(a, b), 60), ['F01-number-not-found-here', 'F08-busy'])
})

t.test('what was not seen may have passed in a gap, and then it is only a hint', async (t) => {
  const leg = outbound()
  for (const at of [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]) leg.at(at).request('INVITE')
  const gap = { fromMicros: micros(0.1), toMicros: micros(0.9), why: 'gap' } as const
  const [said] = seen(leg, 64, [gap]).findings
  t.match(said, { ruleId: 'N01-invite-unanswered', severity: 'warning', confidence: 'low' })
  t.match(
    said?.sentence,
    /The capture has a gap of 800 ms there, so what is missing may have passed unseen\.$/,
  )
  const before = { ...gap, fromMicros: micros(-9), toMicros: micros(-8) }
  t.match(seen(leg, 64, [before]).findings[0], { severity: 'error', confidence: 'high' })
  const encrypted = { ...gap, why: 'encrypted' } as const
  t.match(seen(leg, 64, [encrypted]).findings[0]?.sentence, /What passed was encrypted for 800 ms there/)
})

t.test('only one direction captured: "not seen" instead of "not sent"', async (t) => {
  const leg = inbound()
    .request('INVITE')
    .at(2)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
    .at(20)
    .request('BYE', { cseq: 2, toTag: 'callee' })
  t.same(troubles(leg, 60), [])
  const said = finding(leg, 60, 'D11-bye-unanswered')
  t.match(said, { severity: 'info', confidence: 'low' })
  t.match(said.sentence, /Only one direction of this leg was captured/)
  t.equal(
    finding(leg, 60, 'C01-completed').sentence,
    'alice (192.0.2.10:5060) hung up; the answer to the call was not seen.',
  )
  judgesAlike(t, leg, 60)
})

const anonymousForSOME = (agent: string) =>
  new LegScript({
    direction: 'unknown',
    caller: { address: '198.51.100.7', port: 5060 },
    callee: { address: '198.51.100.1', port: 5060 },
  })
    .request('INVITE')
    .at(0.1)
    .response(404, 'Not Found', 'INVITE', { headers: [`Server: ${agent}`], source: 'import' })

t.test('an imported file does not say who is the PBX: Asterisk names itself', async (t) => {
  t.match(finding(anonymousForSOME('Asterisk PBX 22.1.0'), 60, 'F01-number-not-found-here'), { side: 'us' })
  t.match(finding(anonymousForSOME('Carrier SBC'), 60, 'F02-number-not-found'), { side: 'peer' })
})

const imported = (leg: LegScript) => leg.messages.map((message) => ({ ...message, source: 'import' }))

t.test(
  'after the end of an imported file nobody watched: what is missing is not held against anyone',
  async (t) => {
    const years = 100_000_000
    const talking = imported(answered(inbound(), ['Session-Expires: 1800;refresher=uac']))
    t.same(rules(talking, years), ['C02-in-progress'])
    t.equal(
      finding(talking, years, 'C02-in-progress').sentence,
      'The call to 1002 went on for 50 ms as far as the file goes; no BYE was seen.',
    )
    const trying = imported(outbound().request('INVITE').at(0.1).response(100, 'Trying', 'INVITE'))
    t.same(troubles(trying, years), [])
    const once = seen(imported(outbound().request('INVITE')), years).findings[0]
    t.match(once, { ruleId: 'N01-invite-unanswered', severity: 'warning', confidence: 'low' })
    const repeated = outbound()
    for (const at of [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]) repeated.at(at).request('INVITE')
    t.match(seen(imported(repeated), years).findings[0], { severity: 'error', confidence: 'high' })
  },
)

t.test('the same verdict whichever sources saw the call', async (t) => {
  const leg = register()
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
    .at(0.05)
    .request('REGISTER', { cseq: 2, ...credentials('n1') })
    .at(0.07)
    .response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
  const tap = leg.messages.map((message) => ({
    ...message,
    id: `${message.id}-hep`,
    source: 'ami-hep',
    atMicros: message.atMicros + 300,
  }))
  const both = [...leg.messages, ...tap]
  t.equal(readCall(both).legs[0]?.transactions.length, 2)
  t.same(seen(both, 60).findings, seen(leg, 60).findings)
  judgesAlike(t, both, 60)
  const judge = createCallJudge()
  for (const message of [...tap, ...leg.messages]) judge.add(message)
  t.same(
    judge.analyse({ nowMicros: micros(60) }).findings,
    seen(leg, 60).findings,
    'the tap first, the wire later',
  )
})

t.test('a dialog of ten thousand messages: what opened it and what went wrong are still known', async (t) => {
  const leg = answered(outbound())
  for (let index = 0; index < 5000; index++) {
    const cseq = index + 2
    leg
      .at(3 + index)
      .request('OPTIONS', { cseq, toTag: 'callee' })
      .response(index === 700 ? 481 : 200, 'OK', 'OPTIONS', { cseq })
  }
  leg
    .at(6000)
    .request('INFO', { cseq: 6000, toTag: 'callee' })
    .response(481, 'Call/Transaction Does Not Exist', 'INFO', { cseq: 6000 })
  for (let index = 0; index < 300; index++) {
    const cseq = index + 7000
    leg
      .at(6001 + index)
      .request('OPTIONS', { cseq, toTag: 'callee' })
      .response(200, 'OK', 'OPTIONS', { cseq })
  }
  leg.at(7000).request('BYE', { cseq: 9000, toTag: 'callee' }).response(200, 'OK', 'BYE', { cseq: 9000 })
  const judge = createCallJudge()
  for (const message of leg.messages) judge.add(message)
  const whole = analyseCall(leg.messages, { nowMicros: micros(7100) })
  const grown = judge.analyse({ nowMicros: micros(7100) })
  t.same(grown.findings, whole.findings)
  t.same(
    whole.findings.map(({ ruleId }) => ruleId),
    ['D05-dialog-unknown', 'C01-completed'],
  )
  t.ok((readCall(leg.messages).legs[0]?.transactions.length ?? 0) <= 33, 'bounded')
  t.match(whole.findings[1]?.sentence, /^The call to 004930123 was answered after 2 s and lasted 1 h 56 min/)
})

t.test('foreign text in a verdict cannot forge a line', async (t) => {
  const leg = new LegScript({ caller: { ...phone, name: 'x\ny' }, toUser: 'a\u202Eb', fromUser: '\x1b[2J' })
    .request('INVITE', { uri: 'sip:a\u202Eb@pbx', headers: ['User-Agent: friendly-scanner\x1b]0;'] })
    .response(403, 'Not\x07Found<script>', 'INVITE', {
      headers: ['Reason: Q.850;cause=38\x1b', 'Warning: 399 \u202E'],
    })
  const { findings } = seen(leg, 60)
  t.ok(findings.length >= 3)
  for (const { sentence, title, checks } of findings)
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    t.notMatch(JSON.stringify([sentence, title, checks]), /[\u0000-\u001f\u202e]|\\n|\\u00/)
  t.match(findings[0]?.sentence, /\\x1b\[2J/)
})

t.test('nothing at all, and messages without Call-ID, make no finding and no error', async (t) => {
  const nothing = {
    state: 'other',
    standing: null,
    from: '',
    to: '',
    startedAtMicros: 0,
    endedAtMicros: null,
    findings: [],
  }
  t.same(seen([], 1), nothing)
  t.same(createCallJudge().analyse({ nowMicros: 1 }), nothing)
})
