import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import { sdpOf } from '../message-sdp.ts'
import type { SipMessage } from '../message.ts'
import { rememberOfMessage } from '../remember.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

const hasEvents = rememberOfMessage((message: SipMessage): boolean | null => {
  const audio = sdpOf(message)?.media.find(({ kind, port }) => kind === 'audio' && port !== 0)
  return audio ? audio.codecs.some(({ name }) => name.toLowerCase() === 'telephone-event') : null
})

/** telephone-event offered and not accepted. */
export const noDtmfEvents: VerdictRule = {
  id: 'M05-no-dtmf-events',
  title: 'DTMF as telephone-event not accepted',
  meaning:
    'The offer has telephone-event and the answer has not: keys must go in the sound itself or as INFO, or they are lost.',
  kind: 'symptom',
  checks: ['pjsip.conf, type=endpoint: dtmf_mode=auto, inband or info', 'the DTMF setting of the device'],
  rfc: ['RFC 4733'],
  options: [{ option: 'dtmf_mode', object: 'endpoint' }],
  methods: ['INVITE'],
  isOfFinal: isSuccess,
  explain({ attempt }) {
    if (!attempt?.request || !attempt.final || !isSuccess(statusOf(attempt.final))) return null
    if (
      hasEvents(attempt.request.message.message) !== true ||
      hasEvents(attempt.final.message.message) !== false
    )
      return null
    return {
      severity: 'info',
      side: sideOf(attempt, 'server'),
      confidence: 'medium',
      sentence: `${nameOf(attempt, 'client')} offered telephone-event and ${nameOf(attempt, 'server')} did not accept it: keys pressed in this call may not arrive.`,
      evidence: evidenceOf(attempt.request, attempt.final),
      atMicros: attempt.final.message.atMicros,
    }
  },
}
