import type { VerdictRule } from '../finding.ts'
import { isSuccess, statusOf } from '../leg.ts'
import type { Sighting } from '../sightings.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

/** The message says so itself; a body that the capture lost is another matter. */
function hasNoBody({ message: { message } }: Sighting): boolean {
  return message.body.length === 0 && Number(message.header('content-length') ?? 0) === 0
}

/** INVITE without SDP, offer in the 200, and no SDP in the ACK. */
export const lateOfferUnanswered: VerdictRule = {
  id: 'S09-late-offer-unanswered',
  title: 'Late offer never answered: no audio',
  meaning:
    'The INVITE had no SDP, so the 200 made the offer and the ACK had to answer it, and did not: nobody knows where to send sound.',
  kind: 'symptom',
  checks: [
    'the program that sent the INVITE and the ACK: it must answer the offer in the ACK',
    'an INVITE with SDP instead',
  ],
  rfc: ['RFC 3261 13.2.1', 'RFC 6337'],
  methods: ['INVITE'],
  isOfFinal: isSuccess,
  explain(leg) {
    const { attempt } = leg
    if (!attempt?.request || !attempt.final || !isSuccess(statusOf(attempt.final))) return null
    if (!hasNoBody(attempt.request) || !attempt.final.message.message.hasSdp) return null
    const [ack] = attempt.acks
    if (!ack || !attempt.acks.every(hasNoBody)) return null
    // With 100rel the offer came in an 18x and the PRACK answered it.
    if (leg.of('PRACK').length > 0) return null
    return {
      severity: 'error',
      side: sideOf(attempt, 'client'),
      confidence: 'high',
      sentence:
        `${nameOf(attempt, 'client')} sent the INVITE without SDP, ${nameOf(attempt, 'server')} made the offer in its 200, and the ACK has ` +
        `no SDP to answer it: there can be no audio.`,
      evidence: evidenceOf(attempt.request, attempt.final, ack),
      atMicros: ack.message.atMicros,
    }
  },
}
