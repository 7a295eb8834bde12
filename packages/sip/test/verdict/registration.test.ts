import t from 'tap'
import { analyseCall } from '../../src/call.ts'
import type { CurrentOption } from '../../src/finding.ts'
import { answered, LegScript, micros, pbx, phone, trunk } from '../conversation.ts'
import { challenge, credentials, finding, has, lacks, register, rules, seen } from './verdict-testing.ts'

const bound = (seconds: number) => ({ headers: [`Contact: <sip:1001@192.0.2.10>;expires=${seconds}`] })

t.test('R01 registered: REGISTER, 401, REGISTER, 200 is a success, not a wrong password', async (t) => {
  const leg = register()
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
    .at(0.05)
    .request('REGISTER', { cseq: 2, ...credentials('n1') })
    .at(0.07)
    .response(200, 'OK', 'REGISTER', { cseq: 2, ...bound(60) })
  has(t, 'R01-registered', leg, {
    at: 60,
    severity: 'ok',
    sentence: '1001@pbx.example.com is registered at Asterisk (192.0.2.1:5080) for 60 s, answered in 20 ms.',
  })
  t.same(rules(leg, 60), ['R01-registered'])
  t.equal(seen(leg, 60).state, 'registration')
  const removed = register()
    .request('REGISTER', { headers: ['Contact: *', 'Expires: 0'] })
    .response(200, 'OK', 'REGISTER')
  has(t, 'R01-registered', removed, {
    at: 1,
    title: 'Unregistered',
    sentence: '1001@pbx.example.com removed its registration at Asterisk (192.0.2.1:5080).',
  })
})

t.test('R01 twin: a 200 to OPTIONS in the same Call-ID registers nobody', async (t) => {
  const leg = register()
    .request('REGISTER')
    .response(403, 'Forbidden', 'REGISTER')
    .at(1)
    .request('OPTIONS', { cseq: 2 })
    .response(200, 'OK', 'OPTIONS', { cseq: 2 })
  lacks(t, 'R01-registered', leg, 60, 'the REGISTER was refused')
})

const wrongPassword = (leg = register()) =>
  leg
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
    .at(0.05)
    .request('REGISTER', { cseq: 2, ...credentials('n1') })
    .at(0.07)

t.test('R06 registration forbidden', async (t) => {
  const leg = register().request('REGISTER').at(0.01).response(403, 'Forbidden', 'REGISTER')
  has(t, 'R06-registration-forbidden', leg, {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'Asterisk (192.0.2.1:5080) forbids the registration of 1001@pbx.example.com by alice (192.0.2.10:5060) with 403 Forbidden: the account is blocked, the address is not allowed or the domain is wrong, or the device has too many contacts.',
  })
  lacks(
    t,
    'R06-registration-forbidden',
    new LegScript().request('INVITE').response(403, 'Forbidden', 'INVITE'),
    60,
    'an INVITE',
  )
})

const aorOption = (option: string, value: string): CurrentOption => ({
  endpoint: 'alice',
  object: 'aor',
  section: 'alice',
  option,
  value,
})

t.test('R11 too many contacts', async (t) => {
  const leg = register()
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
    .at(0.02)
    .request('REGISTER', { cseq: 2, ...credentials('n1') })
    .at(0.03)
    .response(403, 'Forbidden', 'REGISTER', { cseq: 2 })
  has(t, 'R11-too-many-contacts', leg, {
    at: 60,
    severity: 'error',
    side: 'us',
    confidence: 'medium',
    sentence:
      'Asterisk answered the registration of 1001@pbx.example.com by alice (192.0.2.10:5060) with 403 Forbidden although it had logged in: its AOR most likely has all the contacts it may have.',
  })
  const knowing = (...currentOptions: readonly CurrentOption[]) =>
    analyseCall(leg.messages, { nowMicros: micros(60), currentOptions }).findings[0]
  t.match(knowing(aorOption('max_contacts', '1'), aorOption('remove_existing', 'no')), {
    ruleId: 'R11-too-many-contacts',
    confidence: 'high',
    sentence: /: its AOR most likely has all the contacts it may have \(max_contacts is 1\)\.$/,
  })
  t.match(knowing(aorOption('max_contacts', '0')), {
    ruleId: 'R11-too-many-contacts',
    sentence: /: its AOR allows no contacts \(max_contacts is 0\)\.$/,
  })
  t.equal(
    knowing(aorOption('max_contacts', '1'), aorOption('remove_existing', 'yes'))?.ruleId,
    'R06-registration-forbidden',
    'twin: a new contact takes the place of the old one',
  )
  const unasked = register().request('REGISTER').at(0.01).response(403, 'Forbidden', 'REGISTER')
  lacks(t, 'R11-too-many-contacts', unasked, 60, 'refused before any login: an access list')
  const atTrunk = ours()
    .request('REGISTER', { headers: credentials('n1').headers })
    .at(0.03)
    .response(403, 'Forbidden', 'REGISTER')
  lacks(t, 'R11-too-many-contacts', atTrunk, 60, 'what the provider allows is not known here')
})

const ours = () =>
  new LegScript({ caller: pbx, callee: trunk, direction: 'out', toUser: 'me', fromUser: 'me' })

t.test('R07 Asterisk stopped registering', async (t) => {
  const leg = wrongPassword(ours()).response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
  t.same(rules(leg, 900), ['R02-auth-wrong-password', 'R07-registration-stopped'])
  t.equal(
    finding(leg, 900, 'R07-registration-stopped').sentence,
    'Since acme (203.0.113.9:5060) refused the registration of me@pbx.example.com with 401 Unauthorized, Asterisk has not tried again for 15 min.',
  )
  lacks(t, 'R07-registration-stopped', leg, 60, 'too early to say')
  const phoneLeg = wrongPassword().response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
  lacks(t, 'R07-registration-stopped', phoneLeg, 900, 'a phone that gives up is no registration of ours')
  const imported = leg.messages.map((message) => ({ ...message, source: 'import' }))
  lacks(t, 'R07-registration-stopped', imported, 900, 'nobody watched after the end of a file')
})

t.test('R08 registration unanswered', async (t) => {
  const leg = register()
  for (const at of [0, 0.5, 1.5, 3.5, 7.5, 11.5]) leg.at(at).request('REGISTER')
  t.same(rules(leg, 12), [], 'twin: an answer may still come')
  has(t, 'R08-registration-unanswered', leg, {
    at: 60,
    severity: 'error',
    side: 'network',
    confidence: 'high',
    sentence:
      'alice (192.0.2.10:5060) sent REGISTER for 1001@pbx.example.com to Asterisk (192.0.2.1:5080) 6 times in 11.5 s, and no answer was seen.',
  })
})

t.test('R09 expiry too short', async (t) => {
  const brief = register()
    .request('REGISTER')
    .response(423, 'Interval Too Brief', 'REGISTER', { headers: ['Min-Expires: 300'] })
  has(t, 'R09-registration-too-brief', brief, {
    at: 60,
    severity: 'warning',
    side: 'peer',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the registration of 1001@pbx.example.com by alice (192.0.2.10:5060) with 423 Interval Too Brief: it wants at least 300 s, and the client did not come back with that.',
  })
  brief.at(1).request('REGISTER', { cseq: 2 }).response(200, 'OK', 'REGISTER', { cseq: 2 })
  lacks(t, 'R09-registration-too-brief', brief, 60, 'the client came back with a longer one')
})

t.test('R10 registration refused for another reason', async (t) => {
  const unknown = register().request('REGISTER').response(404, 'Not Found', 'REGISTER')
  has(t, 'R10-registration-refused', unknown, {
    at: 60,
    severity: 'error',
    side: 'peer',
    sentence:
      'Asterisk (192.0.2.1:5080) answered the registration of 1001@pbx.example.com by alice (192.0.2.10:5060) with 404 Not Found: it does not know this address of record.',
  })
  lacks(
    t,
    'R10-registration-refused',
    register().request('PUBLISH').response(404, 'Not Found', 'PUBLISH'),
    60,
    'a PUBLISH',
  )
})

const refreshes = (ports: readonly number[], every = 60) => {
  const leg = register()
  for (const [index, port] of ports.entries())
    leg
      .at(index * every)
      .request('REGISTER', { cseq: index + 1, src: { ...phone, port }, ...credentials('n') })
      .response(200, 'OK', 'REGISTER', { cseq: index + 1, dst: { ...phone, port }, ...bound(90) })
  return leg
}

t.test('R12 the registration ran out, came late, or is lost in a NAT', async (t) => {
  has(t, 'R12-registration-lapsed', refreshes([5060]), {
    at: 600,
    severity: 'info',
    title: 'Registration ran out',
    sentence:
      '1001@pbx.example.com was registered at Asterisk (192.0.2.1:5080) for 90 s and did not refresh: the registration ran out 8 min 30 s ago, unless it registered anew under another Call-ID.',
  })
  t.equal(rules(refreshes([5060]), 600).includes('R01-registered'), false, 'it is not registered any more')
  lacks(t, 'R12-registration-lapsed', refreshes([5060, 5060]), 150, 'refreshed in time')
  has(t, 'R12-registration-lapsed', refreshes([5060, 5060], 200), {
    at: 210,
    severity: 'warning',
    title: 'Registration refreshed too late',
    sentence:
      '1001@pbx.example.com was registered for 90 s and came back 1 min 50 s after that: in between calls to it went nowhere.',
  })
  has(t, 'R12-registration-lapsed', refreshes([1024, 1391, 2077]), {
    at: 130,
    severity: 'warning',
    sentence:
      '1001@pbx.example.com came from another port each time it registered (1024, 1391, 2077) while it names the same one itself: a NAT between forgets it, and calls to it go nowhere until it registers again.',
  })
  lacks(t, 'R12-registration-lapsed', refreshes([1024, 1024, 1024]), 130, 'the same port behind a NAT')
  const imported = refreshes([5060]).messages.map((message) => ({ ...message, source: 'import' }))
  lacks(t, 'R12-registration-lapsed', imported, 600, 'nobody watched after the end of a file')
})

const registeredForR13 = (contacts: string) =>
  register()
    .request('REGISTER')
    .response(200, 'OK', 'REGISTER', { headers: [`Contact: ${contacts}`] })

t.test('R13 several contacts', async (t) => {
  const leg = registeredForR13('<sip:1001@192.0.2.10>;expires=60, <sip:1001@192.0.2.77>;expires=9')
  t.equal(
    finding(leg, 5, 'R13-several-contacts').sentence,
    '1001@pbx.example.com has 2 contacts at Asterisk (192.0.2.1:5080): sip:1001@192.0.2.10, sip:1001@192.0.2.77; calls to it ring at all of them.',
  )
  lacks(t, 'R13-several-contacts', registeredForR13('<sip:1001@192.0.2.10>;expires=60'), 5, 'one contact')
})

const knockForX01 = (agent: string) =>
  new LegScript({ caller: { address: '198.51.100.66', port: 5071 } })
    .request('REGISTER', { headers: [`User-Agent: ${agent}`] })
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))

t.test('X01 a scanner knocks', async (t) => {
  const leg = knockForX01('friendly-scanner')
  t.equal(
    finding(leg, 1, 'X01-scanner').sentence,
    '198.51.100.66:5071 sent REGISTER and calls itself "friendly-scanner", a program that looks for open PBXs.',
  )
  const call = new LegScript({ caller: { address: '198.51.100.66', port: 5071 } })
    .request('INVITE', { headers: ['User-Agent: friendly-scanner'] })
    .response(401, 'Unauthorized', 'INVITE', challenge('n1'))
  t.equal(rules(call, 60)[0], 'X01-scanner', 'told before the login that it has not')
  lacks(t, 'X01-scanner', knockForX01('Friendly Phones 3.1'), 1, 'a phone')
  lacks(t, 'X01-scanner', answered(new LegScript()), 5, 'a call')
})
