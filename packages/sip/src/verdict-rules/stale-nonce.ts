import { loginState } from '../authentication.ts'
import type { VerdictRule } from '../finding.ts'
import { duration, evidenceOf, isUs, nameOf, requestText, sideOf, times } from '../wording.ts'

/** `stale=true` again and again: the nonce is too old each time the client comes back. */
export const staleNonce: VerdictRule = {
  id: 'R04-auth-stale-nonce',
  title: 'Login goes round: the nonce is always too old',
  meaning:
    'The password is right, but the nonce has run out whenever the client answers: it keeps an old one, answers too late, or the nonce lives too short.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=auth: nonce_lifetime (32 s)',
    'the client: does it use the nonce of the last challenge? A software update may help',
    'the delay of the link between challenge and answer',
  ],
  rfc: ['RFC 7616'],
  options: [{ option: 'nonce_lifetime', object: 'auth' }],
  signs: ['challenge'],
  explain(leg, context) {
    const login = loginState(leg, context)
    if (!login || login.stale.length < 2) return null
    const { last, lastAnswer, stale } = login
    const [first] = stale
    const over = lastAnswer.message.atMicros - (first?.startedAtMicros ?? 0)
    return {
      severity: login.isAbandoned || stale.length > 2 ? 'error' : 'warning',
      side: isUs(last, 'server') ? 'us' : sideOf(last, 'client'),
      confidence: 'medium',
      sentence:
        `${nameOf(last, 'server')} called the nonce of the ${requestText(last)} from ${nameOf(last, 'client')} stale ` +
        `${times(stale.length)} in ${duration(over)}: the password is accepted, the nonce is too old each time.`,
      evidence: evidenceOf(...stale.flatMap((one) => [one.request, one.final])),
      atMicros: lastAnswer.message.atMicros,
      isFailure: true,
    }
  },
}
