import { credentialsOf } from '../challenge.ts'
import type { VerdictRule } from '../finding.ts'
import { isChallenge, statusOf, type Leg } from '../leg.ts'
import type { Transaction } from '../transaction.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

/** The try that follows a challenge with credentials but the same CSeq number. */
function sameNumber({ transactions }: Leg): { challenged: Transaction; retry: Transaction } | null {
  for (const challenged of transactions) {
    if (!isChallenge(statusOf(challenged.final))) continue
    const retry = transactions.find(
      (one) =>
        one !== challenged &&
        one.method === challenged.method &&
        one.cseq === challenged.cseq &&
        one.startedAtMicros > (challenged.final?.message.atMicros ?? 0) &&
        one.client.address === challenged.client.address &&
        one.request !== null &&
        credentialsOf(one.request.message.message).length > 0,
    )
    if (retry) return { challenged, retry }
  }
  return null
}

/** Credentials in a request that is no new one. */
export const brokenLogin: VerdictRule = {
  id: 'F06-login-same-cseq',
  title: 'Login repeated with the same CSeq number',
  meaning:
    'After a challenge the client sent its credentials without raising CSeq: servers take that for an old request and may refuse or ignore it.',
  kind: 'symptom',
  checks: [
    'the software of the client or of a proxy between: an update',
    'what answered the second try, if anything did',
  ],
  rfc: ['RFC 3261 22.2', 'RFC 3261 8.1.3.5'],
  signs: ['challenge'],
  explain(leg) {
    const found = sameNumber(leg)
    if (found === null) return null
    const { challenged, retry } = found
    return {
      severity: 'warning',
      side: sideOf(retry, 'client'),
      confidence: 'high',
      sentence:
        `${nameOf(retry, 'client')} answered the challenge of ${nameOf(retry, 'server')} with a ${retry.method} that has the ` +
        `same CSeq number ${retry.cseq ?? ''} as the one before; it must be higher.`,
      evidence: evidenceOf(challenged.request, challenged.final, retry.request, retry.final),
      atMicros: retry.startedAtMicros,
    }
  },
}
