import { loginState } from '../authentication.ts'
import { challengesOf } from '../challenge.ts'
import type { VerdictRule } from '../finding.ts'
import { toPrintable } from '../printable.ts'
import { answerText, evidenceOf, isUs, nameOf, requestText, sideOf, times } from '../wording.ts'

/** A challenge that was never answered with credentials. */
export const noCredentials: VerdictRule = {
  id: 'R05-auth-no-credentials',
  title: 'Login failed: no credentials sent',
  meaning: 'The request was challenged, and the client has no user name and password for that realm.',
  kind: 'outcome',
  checks: [
    'pjsip.conf: outbound_auth on the endpoint or registration, and realm in that type=auth section',
    'the user name and password in the device',
  ],
  rfc: ['RFC 3261 22.2', 'RFC 3261 22.3'],
  options: [
    { option: 'outbound_auth', object: 'endpoint' },
    { option: 'outbound_auth', object: 'registration' },
    { option: 'realm', object: 'auth' },
  ],
  signs: ['challenge'],
  explain(leg, context) {
    const login = loginState(leg, context)
    const first = login?.challenged[0]
    if (!login || !first || login.refused.length > 0 || !login.isAbandoned) return null
    // A stale nonce was answered before; that is another trouble.
    const [challenge] = challengesOf(login.lastAnswer.message.message)
    if (challenge?.isStale) return null
    const { last, lastAnswer, method } = login
    const isRegister = method === 'REGISTER'
    const realm = toPrintable(challenge?.realm ?? '', 60)
    const client = nameOf(last, 'client')
    return {
      severity: 'error',
      side: sideOf(last, 'client'),
      confidence: login.challenged.length > 1 ? 'high' : 'medium',
      title: isRegister ? 'Registration failed: no credentials sent' : 'Call refused: no credentials sent',
      sentence:
        `The ${requestText(last)} was challenged by ${nameOf(last, 'server')} with ${answerText(lastAnswer)} for realm "${realm}" ` +
        `(${times(login.challenged.length)}), and ${client} never sent credentials.`,
      evidence: evidenceOf(...login.challenged.flatMap((one) => [one.request, one.final])),
      checks: isUs(last, 'client')
        ? [
            `pjsip.conf: outbound_auth on the ${isRegister ? 'registration' : 'endpoint'}`,
            `pjsip.conf, that type=auth section: realm empty, or exactly "${realm}"`,
            ...(isRegister
              ? []
              : ['if the trunk should know us by our address: which source address does it expect?']),
          ]
        : [
            'the device needs user name and password for this realm',
            'if this peer should not have to log in: pjsip.conf, an identify section with match= its address; Asterisk challenges unknown callers too',
            'pjsip.conf, type=endpoint: deny and acl: Asterisk also challenges whom the list of his own endpoint denies',
          ],
      options: isUs(last, 'client')
        ? [
            { option: 'outbound_auth', object: isRegister ? 'registration' : 'endpoint' },
            { option: 'realm', object: 'auth' },
          ]
        : [
            { option: 'match', object: 'identify' },
            { option: 'deny', object: 'endpoint' },
          ],
      atMicros: lastAnswer.message.atMicros,
      isFailure: true,
    }
  },
}
