import type { VerdictRule } from '../finding.ts'
import { isUnanswered } from '../leg.ts'
import { duration, evidenceOf, isUs, nameOf, sendings, unansweredDoubt } from '../wording.ts'

/** qualify_timeout, unless it is set. */
const qualifyTimeoutMicros = 3_000_000

/** OPTIONS without any answer, or with one that comes too late: the qualify of a dead or far peer. */
export const optionsUnanswered: VerdictRule = {
  id: 'N08-options-unanswered',
  title: 'No answer to OPTIONS',
  meaning:
    'The qualify of a peer gets no answer, or one that comes after its timeout: Asterisk takes the contact for unreachable.',
  kind: 'symptom',
  checks: [
    'is the device on, and its address still right? "pjsip show contacts"',
    'pjsip.conf, type=aor: qualify_frequency keeps a NAT binding open, qualify_timeout says how long to wait',
  ],
  rfc: ['RFC 3261 11.2', 'RFC 3261 17.1.2.2'],
  options: [
    { option: 'qualify_frequency', object: 'aor' },
    { option: 'qualify_timeout', object: 'aor' },
  ],
  methods: ['OPTIONS'],
  explain(leg, context) {
    const last = leg.of('OPTIONS').at(-1)
    if (!last) return null
    const checks = isUs(last, 'server')
      ? {
          checks: [
            'does Asterisk listen there? pjsip.conf, type=transport: bind and protocol',
            'a local firewall that drops what the capture still sees',
          ],
          options: [{ option: 'bind', object: 'transport' }] as const,
        }
      : {}
    if (last.final !== null && last.request !== null) {
      const late = last.final.message.atMicros - last.startedAtMicros
      if (late <= qualifyTimeoutMicros) return null
      return {
        severity: 'warning',
        side: 'network',
        confidence: 'medium',
        title: 'OPTIONS answered late',
        sentence: `${nameOf(last, 'server')} answered the OPTIONS of ${nameOf(last, 'client')} only after ${duration(late)}, later than the usual qualify_timeout of 3 s.`,
        evidence: evidenceOf(last.request, last.final),
        atMicros: last.startedAtMicros,
      }
    }
    if (!isUnanswered(leg, last, context.nowMicros)) return null
    const { confidence, doubt } = unansweredDoubt(last)
    return {
      severity: 'warning',
      side: 'network',
      confidence,
      sentence:
        `${nameOf(last, 'client')} sent OPTIONS to ${nameOf(last, 'server')} ${sendings(last)}, and no answer was seen: ` +
        `it is not reachable.${doubt}`,
      evidence: evidenceOf(last.request, last.requests.at(-1)),
      ...checks,
      atMicros: last.startedAtMicros,
      absentSinceMicros: last.startedAtMicros,
    }
  },
}
