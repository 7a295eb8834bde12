import { loginState } from '../authentication.ts'
import type { VerdictRule } from '../finding.ts'
import { answerText, evidenceOf, isUs, nameOf, requestText, sideOf, times } from '../wording.ts'

/** The far side challenges our calls again and again, and we have nothing to answer with. */
export const trunkChallenges: VerdictRule = {
  id: 'F05-trunk-wants-login',
  title: 'The trunk challenges our calls again and again',
  meaning:
    'A trunk that should know us by our address challenges each INVITE: it expects another source address, or wants a login after all.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=endpoint: outbound_auth, if the provider wants a login',
    'ask the provider which source address it expects, and compare it with the one the INVITE came from',
    'pjsip.conf, type=endpoint: from_domain',
  ],
  rfc: ['RFC 3261 22.2', 'RFC 3261 22.3'],
  options: [
    { option: 'outbound_auth', object: 'endpoint' },
    { option: 'from_domain', object: 'endpoint' },
  ],
  signs: ['challenge'],
  explain(leg, context) {
    const login = loginState(leg, context)
    if (!login || login.method !== 'INVITE' || login.challenged.length < 2 || login.refused.length > 0)
      return null
    const { last, lastAnswer, challenged } = login
    if (isUs(last, 'server')) return null
    return {
      severity: 'error',
      side: sideOf(last, 'client'),
      confidence: 'medium',
      sentence:
        `${nameOf(last, 'server')} challenged the ${requestText(last)} ${times(challenged.length)}, last with ` +
        `${answerText(lastAnswer)}, and ${nameOf(last, 'client')} never sent credentials: the trunk wants a login, or does not ` +
        `know the address that the calls come from.`,
      evidence: evidenceOf(...challenged.flatMap((one) => [one.request, one.final])),
      atMicros: lastAnswer.message.atMicros,
      isFailure: true,
    }
  },
}
