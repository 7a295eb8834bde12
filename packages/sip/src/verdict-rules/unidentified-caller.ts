import { loginState } from '../authentication.ts'
import type { VerdictRule } from '../finding.ts'
import { answerText, evidenceOf, isUs, nameOf, requestText, times } from '../wording.ts'

/** Asterisk challenges a caller that it cannot match to an endpoint, and that sends no credentials. */
export const unidentifiedCaller: VerdictRule = {
  id: 'R03-unidentified-caller',
  title: 'Caller matches no endpoint',
  meaning:
    'Asterisk found no endpoint for the address or user of the caller and challenges it as it does any stranger. A trunk that should not log in needs an identify section.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=identify: match= with the address of the caller, endpoint= its endpoint',
    'pjsip.conf, type=global: endpoint_identifier_order; type=registration: line=yes for a trunk that we register at',
    'the Asterisk log at that second: "No matching endpoint found"',
  ],
  rfc: ['RFC 3261 22.2'],
  options: [
    { option: 'match', object: 'identify' },
    { option: 'endpoint_identifier_order', object: 'global' },
    { option: 'line', object: 'registration' },
  ],
  signs: ['challenge'],
  explain(leg, context) {
    const login = loginState(leg, context)
    if (!login || !login.isAbandoned || login.refused.length > 0 || login.challenged.length === 0) return null
    const { last, lastAnswer } = login
    // A device that registers is meant to log in, and one with a name is known.
    if (login.method === 'REGISTER' || !isUs(last, 'server') || (last.client.name ?? '') !== '') return null
    return {
      severity: 'error',
      side: 'us',
      confidence: 'medium',
      sentence:
        `Asterisk challenged the ${requestText(last)} from ${nameOf(last, 'client')} with ${answerText(lastAnswer)} ` +
        `(${times(login.challenged.length)}), and the caller sent no credentials: its address most likely matches no endpoint.`,
      evidence: evidenceOf(...login.challenged.flatMap((one) => [one.request, one.final])),
      atMicros: lastAnswer.message.atMicros,
      isFailure: true,
    }
  },
}
