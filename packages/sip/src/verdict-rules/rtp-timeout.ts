import type { VerdictRule } from '../finding.ts'
import { parseCause } from '../q850.ts'
import { calledNumber, duration, evidenceOf, isUs, nameOf } from '../wording.ts'

/** Asterisk hangs up with this cause, requested circuit or channel not available, when no RTP came for `rtp_timeout`. */
export const rtpTimeoutCause = 44

/** BYE from Asterisk with cause 44. */
export const rtpTimeout: VerdictRule = {
  id: 'D07-rtp-timeout',
  title: 'Asterisk hung up: no RTP came',
  meaning:
    'Asterisk ended the call with Q.850 cause 44, as it does when the media of a side do not arrive for as long as rtp_timeout, or rtp_timeout_hold, allows.',
  kind: 'symptom',
  checks: [
    'the way of the media to Asterisk: firewall (rtp.conf: rtpstart, rtpend), NAT, the address in the SDP of Asterisk',
    'pjsip.conf, type=endpoint: rtp_timeout, rtp_timeout_hold; rtp_keepalive for devices that are silent on hold',
  ],
  rfc: ['RFC 3326'],
  options: [
    { option: 'rtp_timeout', object: 'endpoint' },
    { option: 'rtp_timeout_hold', object: 'endpoint' },
    { option: 'rtp_keepalive', object: 'endpoint' },
  ],
  methods: ['BYE'],
  explain(leg) {
    const bye = leg.of('BYE').find(({ request }) => {
      const reasons = request?.message.message.headerValues('reason') ?? []
      return reasons.some((reason) => parseCause(reason) === rtpTimeoutCause)
    })
    const dialog = leg.dialogs.find((one) => one.bye === bye)
    if (!bye?.request || !isUs(bye, 'client') || !dialog?.answer) return null
    const lasted = bye.startedAtMicros - dialog.answer.message.atMicros
    const number = leg.attempt === null ? '' : ` to ${calledNumber(leg.attempt)}`
    return {
      severity: 'error',
      side: 'network',
      confidence: 'medium',
      sentence:
        `Asterisk hung up the call${number} after ${duration(lasted)} with Q.850 cause 44, as it does when no media come for as long as ` +
        `rtp_timeout says: those of ${nameOf(bye, 'server')}, or of the other leg.`,
      evidence: evidenceOf(dialog.answer, bye.request),
      atMicros: bye.startedAtMicros,
    }
  },
}
