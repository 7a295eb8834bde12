import type { VerdictRule } from '../finding.ts'
import { isUnanswered } from '../leg.ts'
import { addressOfRecord, evidenceOf, isUs, nameOf, sendings, unansweredDoubt } from '../wording.ts'

/** The last REGISTER got no answer at all within Timer F. */
export const registrationUnanswered: VerdictRule = {
  id: 'R08-registration-unanswered',
  title: 'Registration: no answer',
  meaning:
    'Nobody answers the REGISTER: wrong name or port, firewall, or a registrar that ignores our address.',
  kind: 'outcome',
  checks: [
    'pjsip.conf, type=registration: server_uri and outbound_proxy, and what their names resolve to',
    'the way out: firewall, route, SIP ALG',
  ],
  rfc: ['RFC 3261 17.1.2.2', 'RFC 3263'],
  options: [
    { option: 'server_uri', object: 'registration' },
    { option: 'outbound_proxy', object: 'registration' },
  ],
  methods: ['REGISTER'],
  explain(leg, context) {
    const last = leg.of('REGISTER').at(-1)
    if (!last || !isUnanswered(leg, last, context.nowMicros)) return null
    const { confidence, doubt } = unansweredDoubt(last)
    const isOurs = isUs(last, 'client')
    return {
      severity: 'error',
      side: 'network',
      confidence,
      sentence:
        `${nameOf(last, 'client')} sent REGISTER for ${addressOfRecord(last)} to ${nameOf(last, 'server')} ` +
        `${sendings(last)}, and no answer was seen.${doubt}`,
      evidence: evidenceOf(last.request, last.requests.at(-1)),
      checks: isOurs
        ? [
            'pjsip.conf, type=registration: server_uri and outbound_proxy, and what their names resolve to',
            'the way out: firewall, route, SIP ALG; does the provider expect another source address?',
          ]
        : [
            'does Asterisk listen there? pjsip.conf, type=transport: bind and protocol',
            'a local firewall that drops what the capture still sees; "pjsip set logger on" shows whether Asterisk got it',
          ],
      options: isOurs
        ? [
            { option: 'server_uri', object: 'registration' },
            { option: 'outbound_proxy', object: 'registration' },
          ]
        : [
            { option: 'bind', object: 'transport' },
            { option: 'protocol', object: 'transport' },
          ],
      atMicros: last.startedAtMicros,
      isFailure: true,
      absentSinceMicros: last.startedAtMicros,
    }
  },
}
