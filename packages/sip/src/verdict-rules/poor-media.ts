import type { MediaReport, VerdictRule } from '../finding.ts'
import { evidenceOf, nameOf } from '../wording.ts'

/** Beyond these listeners complain: with loss concealment, the usual jitter buffers, and ITU-T G.114 for the delay. */
const mostLossPercent = 3
const mostJitterMillis = 50
const mostRoundTripMillis = 300
/** A report or two may be of the first moments. */
const reportsThatTell = 3

function complaintsOf({ lossPercent, jitterMillis, roundTripMillis }: MediaReport): string[] {
  const complaints: string[] = []
  if (lossPercent !== null && lossPercent > mostLossPercent)
    complaints.push(`${Math.round(lossPercent * 10) / 10} % of the packets were lost`)
  if (jitterMillis !== null && jitterMillis > mostJitterMillis)
    complaints.push(`the jitter was ${Math.round(jitterMillis)} ms`)
  if (roundTripMillis !== null && roundTripMillis > mostRoundTripMillis)
    complaints.push(`the round trip took ${Math.round(roundTripMillis)} ms`)
  return complaints
}

/** What RTCP told of the leg's media, on average over the call. */
export const poorMedia: VerdictRule = {
  id: 'M08-poor-media',
  title: 'The network spoils the sound',
  meaning:
    'RTCP tells of more than 3 % lost packets, more than 50 ms of jitter or a round trip of more than 300 ms, on average over the call.',
  kind: 'symptom',
  checks: [
    'the network between: Wi-Fi, a full uplink, no priority for voice (QoS)',
    'pjsip.conf, type=endpoint: tos_audio, cos_audio; a jitter buffer with JITTERBUFFER() in the dialplan',
  ],
  rfc: ['RFC 3550 6.4'],
  options: [
    { option: 'tos_audio', object: 'endpoint' },
    { option: 'cos_audio', object: 'endpoint' },
  ],
  methods: ['INVITE'],
  explain(leg, context) {
    const { attempt } = leg
    const answer = leg.dialogs.find((dialog) => dialog.answer !== null)?.answer ?? attempt?.final
    if (attempt === null || !answer) return null
    for (const report of context.media ?? []) {
      const complaints = report.callId === leg.callId ? complaintsOf(report) : []
      if (complaints.length === 0 || report.reports < reportsThatTell) continue
      const far = nameOf(attempt, attempt.direction === 'out' ? 'server' : 'client')
      const way = report.direction === 'received' ? `from ${far} to Asterisk` : `from Asterisk to ${far}`
      return {
        severity: 'warning',
        side: 'network',
        confidence: 'high',
        sentence: `On the way of the media ${way} ${complaints.join(', and ')}, as RTCP told on average (${report.reports} reports).`,
        evidence: evidenceOf(answer),
        atMicros: answer.message.atMicros,
      }
    }
    return null
  },
}
