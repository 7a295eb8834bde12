import type { VerdictRule } from '../finding.ts'
import { hostKey, isKnownAddress } from '../observed-message.ts'
import { onFirstHop } from '../transaction.ts'
import { evidenceOf, isUs, nameOf, sideOf, times } from '../wording.ts'

/** Responses go to another address or port than the request came from, and the request is repeated. */
export const responsesAstray: VerdictRule = {
  id: 'N03-responses-astray',
  title: 'Responses go to the wrong address or port',
  meaning:
    'The answers are not sent back to where the request came from, and its sender keeps repeating it: rport is missing, or the Via names an address that cannot be reached.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: force_rport=yes; type=system: disable_rport=no',
    'the Via of the request against the address it came from: NAT or a SIP ALG between',
    'pjsip.conf, type=transport: external_signaling_address and external_signaling_port, if Asterisk is behind NAT',
  ],
  rfc: ['RFC 3261 18.2.2', 'RFC 3581'],
  options: [
    { option: 'force_rport', object: 'endpoint' },
    { option: 'disable_rport', object: 'system' },
    { option: 'external_signaling_address', object: 'transport' },
    { option: 'external_signaling_port', object: 'transport' },
  ],
  leadsTo: ['A02-no-ack', 'A03-ended-at-timer-h', 'N04-responses-not-received'],
  signs: ['repetition'],
  explain({ transactions }) {
    for (const transaction of transactions) {
      const [first] = transaction.responses
      const { request } = transaction
      if (transaction.requestCount < 2 || !first || request?.message.transport !== 'UDP') continue
      const sentFrom = new Set(transaction.requests.map(({ message }) => hostKey(message.src)))
      const goal = first.message.dst
      if (!isKnownAddress(goal) || sentFrom.has('') || sentFrom.has(hostKey(goal))) continue
      const repeated = onFirstHop(transaction.requests).filter(
        ({ message }) => message.atMicros > first.message.atMicros,
      )
      if (repeated.length === 0) continue
      return {
        severity: 'warning',
        side: isUs(transaction, 'server') ? 'us' : sideOf(transaction, 'client'),
        confidence: 'high',
        sentence:
          `${nameOf(transaction, 'client')} sent the ${transaction.method}, but ${nameOf(transaction, 'server')} sends its answers to ` +
          `${hostKey(goal)}; the ${transaction.method} was repeated ${times(repeated.length)} after that, so they did not arrive.`,
        evidence: evidenceOf(request, first, repeated.at(-1)),
        atMicros: first.message.atMicros,
      }
    }
    return null
  },
}
