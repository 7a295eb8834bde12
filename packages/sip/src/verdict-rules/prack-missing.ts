import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import type { Sighting } from '../sightings.ts'
import { onFirstHop, type Transaction } from '../transaction.ts'
import { answerText, evidenceOf, isUs, nameOf, sideOf, times } from '../wording.ts'

/** Sendings of a reliable 18x that are more than one lost packet. */
const sendingsThatTell = 3

function reliable(attempt: Transaction): ReadonlyMap<string, readonly Sighting[]> {
  const byNumber = new Map<string, Sighting[]>()
  for (const response of attempt.responses) {
    const { message } = response.message
    const number = message.header('rseq')
    if (number === undefined || statusOf(response) >= 200) continue
    const key = `${message.to.tag} ${number}`
    const list = byNumber.get(key)
    if (list) list.push(response)
    else byNumber.set(key, [response])
  }
  return byNumber
}

/** A reliable 18x that gets no PRACK, or a PRACK that is refused. */
export const prackMissing: VerdictRule = {
  id: 'S08-prack-missing',
  title: 'Reliable ringing without PRACK',
  meaning:
    'A 18x asks to be confirmed (100rel) and no PRACK arrives, so it is repeated and the call fails in the end; or the PRACK is refused.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: 100rel=no or peer_supported',
    'the path of requests inside the dialog: the PRACK goes to the Contact of the 18x',
  ],
  rfc: ['RFC 3262 3', 'RFC 3262 4'],
  options: [{ option: '100rel', object: 'endpoint' }],
  leadsTo: ['F14-server-error', 'F15-service-unavailable', 'F10-timeout'],
  methods: ['INVITE'],
  explain(leg) {
    const { attempt } = leg
    if (attempt === null) return null
    const confirmed = leg.of('PRACK')
    const refused = confirmed.find(({ final }) => statusOf(final) === 481)
    if (refused?.final) {
      return {
        severity: 'warning',
        side: sideOf(refused, 'server'),
        confidence: 'high',
        title: 'PRACK refused',
        sentence: `${nameOf(refused, 'server')} answered the PRACK of ${nameOf(refused, 'client')} with ${answerText(refused.final)}: it does not know the 18x that it confirms.`,
        evidence: evidenceOf(refused.request, refused.final),
        atMicros: refused.final.message.atMicros,
      }
    }
    if (confirmed.length > 0 || attempt.responses.length < sendingsThatTell) return null
    for (const list of reliable(attempt).values()) {
      const sent = onFirstHop(list)
      const [first] = sent
      if (!first || sent.length < sendingsThatTell) continue
      return {
        severity: 'warning',
        side: isUs(attempt, 'client') ? 'us' : 'peer',
        confidence: 'high',
        sentence:
          `${nameOf(attempt, 'server')} sent ${answerText(first)} ${times(sent.length)} and wants it confirmed (100rel), but no PRACK from ` +
          `${nameOf(attempt, 'client')} was seen.`,
        evidence: evidenceOf(first, sent.at(-1)),
        atMicros: first.message.atMicros,
        absentSinceMicros: first.message.atMicros,
      }
    }
    return null
  },
}
