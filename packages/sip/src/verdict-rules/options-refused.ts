import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { answerText, evidenceOf, isUs, nameOf } from '../wording.ts'

/** OPTIONS answered with a refusal: alive all the same. */
export const optionsRefused: VerdictRule = {
  id: 'N09-options-refused',
  title: 'OPTIONS refused: the peer is alive',
  meaning:
    'Any answer to a qualify proves that the peer is there, unless qualify_2xx_only=yes says that only 2xx counts.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=aor: qualify_2xx_only, authenticate_qualify',
    'for OPTIONS from outside: pjsip.conf, type=endpoint: allow_unauthenticated_options',
  ],
  rfc: ['RFC 3261 11.2'],
  options: [
    { option: 'qualify_2xx_only', object: 'aor' },
    { option: 'authenticate_qualify', object: 'aor' },
    { option: 'allow_unauthenticated_options', object: 'endpoint' },
  ],
  methods: ['OPTIONS'],
  explain(leg) {
    const last = leg.of('OPTIONS').at(-1)
    if (!last?.final || statusOf(last.final) < 300) return null
    return {
      severity: 'info',
      side: 'none',
      confidence: 'high',
      sentence: `${nameOf(last, 'server')} answered the OPTIONS of ${nameOf(last, 'client')} with ${answerText(last.final)}: it is alive, and ${isUs(last, 'client') ? 'by default that counts as reachable' : 'only does not serve this request'}.`,
      evidence: evidenceOf(last.request, last.final),
      atMicros: last.final.message.atMicros,
    }
  },
}
