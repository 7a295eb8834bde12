import t from 'tap'
import { LegScript } from '../conversation.ts'
import {
  challenge,
  credentials,
  finding,
  has,
  lacks,
  outbound,
  register,
  rules,
  seen,
} from './verdict-testing.ts'

const wrongPassword = (leg = register()) =>
  leg
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
    .at(0.05)
    .request('REGISTER', { cseq: 2, ...credentials('n1') })
    .at(0.07)

t.test('R02 wrong password: refused again after credentials', async (t) => {
  const leg = wrongPassword().response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
  t.same(rules(leg, 0.1), ['R02-auth-wrong-password'], 'told at once, no need to wait')
  const said = has(t, 'R02-auth-wrong-password', leg, {
    at: 60,
    severity: 'error',
    side: 'peer',
    confidence: 'high',
    title: 'Registration failed: wrong password',
    sentence:
      'The registration of 1001@pbx.example.com was refused: alice (192.0.2.10:5060) sent credentials for user "1001" in realm "asterisk", and Asterisk (192.0.2.1:5080) answered 401 Unauthorized again (once). It did not call the nonce stale, so the password, the user name or the realm is wrong, or Asterisk knows no such account: it challenges strangers just the same.',
  })
  t.equal(said.evidence.length, 2)
  t.same(said.options, [
    { option: 'username', object: 'auth', endpoint: 'alice' },
    { option: 'realm', object: 'auth', endpoint: 'alice' },
  ])
})

t.test('R02 twins: stale nonce, an old nonce from before the capture, right in the end', async (t) => {
  const stale = wrongPassword().response(401, 'Unauthorized', 'REGISTER', {
    cseq: 2,
    ...challenge('n2', ',stale=true'),
  })
  lacks(t, 'R02-auth-wrong-password', stale, 60, 'only the nonce was old')
  const refresh = register()
    .request('REGISTER', credentials('old'))
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
  t.same(rules(refresh, 0.5), [])
  refresh
    .at(0.1)
    .request('REGISTER', { cseq: 2, ...credentials('n1') })
    .response(200, 'OK', 'REGISTER', { cseq: 2 })
  t.same(rules(refresh, 60), ['R01-registered'])
  const corrected = wrongPassword()
    .response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
    .at(60)
    .request('REGISTER', { cseq: 3, ...credentials('n2') })
    .response(200, 'OK', 'REGISTER', { cseq: 3 })
  t.same(rules(corrected, 90), ['R01-registered'])
})

const proxyChallenge = { headers: ['Proxy-Authenticate: Digest realm="carrier",nonce="a"'] }

const challengedCall = (leg: LegScript) =>
  leg
    .request('INVITE')
    .response(407, 'Proxy Authentication Required', 'INVITE', proxyChallenge)
    .request('ACK', { toTag: 'callee', branch: `z9hG4bK-${leg.callId}-1-INVITE-a` })

t.test('R02 on a call: our own login at a provider', async (t) => {
  const leg = challengedCall(outbound())
    .at(0.1)
    .request('INVITE', {
      cseq: 2,
      headers: ['Proxy-Authorization: Digest username="me",realm="carrier",nonce="a",response="x"'],
    })
    .at(0.2)
    .response(407, 'Proxy Authentication Required', 'INVITE', { cseq: 2, ...proxyChallenge })
  t.equal(seen(leg, 60).state, 'rejected')
  const said = has(t, 'R02-auth-wrong-password', leg, {
    at: 60,
    side: 'us',
    title: 'Call refused: wrong password',
    sentence:
      'The INVITE to 004930123 was refused: Asterisk (192.0.2.1:5080) sent credentials for user "me" in realm "carrier", and acme (203.0.113.9:5060) answered 407 Proxy Authentication Required again (once). It did not call the nonce stale, so the password, the user name or the realm is wrong.',
  })
  t.ok(said.checks.some((check) => check.includes('outbound_auth')))
})

const strangerForR03 = () => new LegScript({ caller: { address: '198.51.100.7', port: 5060 } })

t.test('R03 Asterisk knows no endpoint for the caller', async (t) => {
  has(t, 'R03-unidentified-caller', challengedCall(strangerForR03()), {
    at: 60,
    severity: 'error',
    side: 'us',
    sentence:
      'Asterisk challenged the INVITE to 1002 from 198.51.100.7:5060 with 407 Proxy Authentication Required (once), and the caller sent no credentials: its address most likely matches no endpoint.',
  })
  t.same(
    rules(challengedCall(strangerForR03()), 1),
    ['C02-in-progress'],
    'twin: the caller still has time to answer',
  )
  lacks(
    t,
    'R03-unidentified-caller',
    challengedCall(new LegScript()),
    60,
    'the caller is a known endpoint that has to log in',
  )
  lacks(t, 'R03-unidentified-caller', challengedCall(outbound()), 60, 'the trunk asks us')
})

t.test('R04 the nonce is always too old', async (t) => {
  const leg = wrongPassword()
    .response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2', ',stale=true') })
    .at(40)
    .request('REGISTER', { cseq: 3, ...credentials('n1') })
    .response(401, 'Unauthorized', 'REGISTER', { cseq: 3, ...challenge('n3', ',stale=true') })
  has(t, 'R04-auth-stale-nonce', leg, {
    at: 60,
    severity: 'error',
    sentence:
      'Asterisk (192.0.2.1:5080) called the nonce of the registration of 1001@pbx.example.com from alice (192.0.2.10:5060) stale twice in 40 s: the password is accepted, the nonce is too old each time.',
  })
  const settled = leg
    .at(41)
    .request('REGISTER', { cseq: 4, ...credentials('n3') })
    .response(200, 'OK', 'REGISTER', { cseq: 4 })
  lacks(t, 'R04-auth-stale-nonce', settled, 60, 'the third try went through')
})

t.test('R05 no credentials after the challenge', async (t) => {
  const leg = register()
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
  t.same(rules(leg, 1), [], 'twin: the client still has time to answer')
  has(t, 'R05-auth-no-credentials', leg, {
    at: 60,
    severity: 'error',
    side: 'peer',
    confidence: 'medium',
    sentence:
      'The registration of 1001@pbx.example.com was challenged by Asterisk (192.0.2.1:5080) with 401 Unauthorized for realm "asterisk" (once), and alice (192.0.2.10:5060) never sent credentials.',
  })
  leg
    .at(1)
    .request('REGISTER', { cseq: 2 })
    .response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
  t.equal(finding(leg, 1.1, 'R05-auth-no-credentials').confidence, 'high')
  has(t, 'R05-auth-no-credentials', challengedCall(outbound()), {
    at: 60,
    side: 'us',
    title: 'Call refused: no credentials sent',
    sentence:
      'The INVITE to 004930123 was challenged by acme (203.0.113.9:5060) with 407 Proxy Authentication Required for realm "carrier" (once), and Asterisk (192.0.2.1:5080) never sent credentials.',
  })
})

t.test(
  'R05 twins: wrong credentials are R02, whatever follows; a login that works is no event',
  async (t) => {
    const leg = wrongPassword()
      .response(401, 'Unauthorized', 'REGISTER', { cseq: 2, ...challenge('n2') })
      .at(20)
      .request('REGISTER', { cseq: 3 })
      .response(401, 'Unauthorized', 'REGISTER', { cseq: 3, ...challenge('n3') })
    t.same(rules(leg, 60), ['R02-auth-wrong-password'])
    const call = new LegScript()
      .request('INVITE')
      .response(401, 'Unauthorized', 'INVITE', challenge('n1'))
      .at(0.1)
      .request('INVITE', { cseq: 2, ...credentials('n1') })
      .at(0.2)
      .response(200, 'OK', 'INVITE', { cseq: 2 })
      .request('ACK', { cseq: 2, toTag: 'callee', branch: 'z9hG4bK-x' })
      .at(5)
      .request('BYE', { cseq: 3, toTag: 'callee' })
      .response(200, 'OK', 'BYE', { cseq: 3 })
    t.same(rules(call, 60), ['C01-completed'])
  },
)

t.test('F05 the trunk challenges our calls again and again', async (t) => {
  const leg = challengedCall(outbound())
    .at(0.5)
    .request('INVITE', { cseq: 2 })
    .response(407, 'Proxy Authentication Required', 'INVITE', { cseq: 2, ...proxyChallenge })
  has(t, 'F05-trunk-wants-login', leg, {
    at: 60,
    severity: 'error',
    side: 'us',
    sentence:
      'acme (203.0.113.9:5060) challenged the INVITE to 004930123 twice, last with 407 Proxy Authentication Required, and Asterisk (192.0.2.1:5080) never sent credentials: the trunk wants a login, or does not know the address that the calls come from.',
  })
  lacks(t, 'F05-trunk-wants-login', challengedCall(outbound()), 60, 'one challenge is R05')
})

t.test('F06 login with the same CSeq number', async (t) => {
  const leg = register()
    .request('REGISTER')
    .at(0.01)
    .response(401, 'Unauthorized', 'REGISTER', challenge('n1'))
    .at(0.05)
    .request('REGISTER', { branch: 'z9hG4bK-second', ...credentials('n1') })
    .response(200, 'OK', 'REGISTER', { branch: 'z9hG4bK-second' })
  has(t, 'F06-login-same-cseq', leg, {
    at: 60,
    severity: 'warning',
    side: 'peer',
    sentence:
      'alice (192.0.2.10:5060) answered the challenge of Asterisk (192.0.2.1:5080) with a REGISTER that has the same CSeq number 1 as the one before; it must be higher.',
  })
  lacks(
    t,
    'F06-login-same-cseq',
    wrongPassword().response(200, 'OK', 'REGISTER', { cseq: 2 }),
    60,
    'the number was raised',
  )
})
