import { loginState } from '../authentication.ts'
import type { VerdictRule } from '../finding.ts'
import { toPrintable } from '../printable.ts'
import { answerText, evidenceOf, isUs, nameOf, requestText, sideOf, times } from '../wording.ts'

/** Credentials for the challenged realm, refused again, and not because the nonce was old. */
export const wrongPassword: VerdictRule = {
  id: 'R02-auth-wrong-password',
  title: 'Login failed: wrong password',
  meaning:
    'Credentials were sent for the right realm and refused again, without stale=true: password, user name or realm do not match. Asterisk refuses unknown accounts in the same way.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=auth: username, password and realm on both sides',
    'AMI events InvalidPassword, ChallengeResponseFailed or InvalidAccountID say which of them it is',
  ],
  rfc: ['RFC 3261 22.2', 'RFC 7616'],
  options: [
    { option: 'username', object: 'auth' },
    { option: 'realm', object: 'auth' },
  ],
  signs: ['challenge'],
  explain(leg, context) {
    const login = loginState(leg, context)
    const last = login?.refused.at(-1)
    if (!login || !last) return null
    const isFresh = login.refused.some((one) => one.isFresh)
    // Seen once with a nonce from before the capture: the client is about to try again with the new one.
    if (!isFresh && !login.isAbandoned && login.refused.length < 2) return null
    const { transaction, answer, credentials } = last
    const username = toPrintable(credentials.username, 40)
    const realm = toPrintable(credentials.realm, 60)
    const algorithm = toPrintable(credentials.algorithm, 20) || 'MD5'
    const isOurs = isUs(transaction, 'server')
    return {
      severity: 'error',
      side: sideOf(transaction, 'client'),
      confidence: isFresh ? 'high' : 'medium',
      title: `${login.method === 'REGISTER' ? 'Registration failed' : 'Call refused'}: wrong password`,
      sentence:
        `The ${requestText(transaction)} was refused: ${nameOf(transaction, 'client')} sent credentials for user "${username}" in realm ` +
        `"${realm}", and ${nameOf(transaction, 'server')} answered ${answerText(answer)} again (${times(login.refused.length)}). ` +
        `It did not call the nonce stale, so the password, the user name or the realm is wrong` +
        (isOurs ? ', or Asterisk knows no such account: it challenges strangers just the same.' : '.'),
      evidence: evidenceOf(...login.refused.flatMap((one) => [one.transaction.request, one.answer])),
      checks: isUs(transaction, 'client')
        ? [
            `pjsip.conf, the type=auth section named by outbound_auth: username and password as the provider gave them`,
            `pjsip.conf, the same section: realm empty, or exactly "${realm}"`,
            `after the fix: "pjsip send register <registration>", because auth_rejection_permanent=yes stops further tries`,
          ]
        : [
            `pjsip.conf, the type=auth section of the endpoint: username "${username}" and password the same as in the device`,
            `pjsip.conf, the same section: realm is "${realm}" if it is set; a stored digest is made for one realm only`,
            `the device must be able to use ${algorithm}; the AMI event InvalidPassword, ChallengeResponseFailed or InvalidAccountID says which it is`,
          ],
      atMicros: answer.message.atMicros,
      isFailure: true,
    }
  },
}
