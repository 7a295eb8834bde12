import type { VerdictRule } from '../finding.ts'
import { statusOf, transactionTimeoutMicros } from '../leg.ts'
import { calledNumber, evidenceOf, nameOf } from '../wording.ts'

/** CANCEL without an answer, or without the 487 that has to follow. */
export const cancelIgnored: VerdictRule = {
  id: 'S03-cancel-ignored',
  title: 'CANCEL without effect',
  meaning:
    'The caller gave up, but no answer to the CANCEL or no 487 came: one was lost, and the phone may go on ringing.',
  kind: 'outcome',
  checks: [
    'the path of CANCEL and 487: a proxy between that lost one of them',
    'does the phone go on ringing?',
  ],
  rfc: ['RFC 3261 9.1', 'RFC 3261 17.1.2'],
  methods: ['INVITE'],
  isOfFinal: (status) => status === 0,
  signs: ['cancel'],
  explain({ attempt }, context) {
    // An ACK proves that the 487 came, seen or not.
    if (!attempt?.cancel || attempt.final !== null || attempt.acks.length > 0) return null
    const { cancel } = attempt
    if (context.nowMicros - cancel.startedAtMicros < transactionTimeoutMicros) return null
    const what =
      cancel.final === null
        ? 'no answer to the CANCEL was seen'
        : `the CANCEL was answered with ${statusOf(cancel.final)}, but no 487 to the INVITE was seen`
    return {
      severity: 'warning',
      side: 'network',
      confidence: 'medium',
      sentence:
        `${nameOf(attempt, 'client')} cancelled the call to ${calledNumber(attempt)}, and ${what}: ` +
        `${nameOf(attempt, 'server')} may go on ringing.`,
      evidence: evidenceOf(attempt.request, cancel.request, cancel.final),
      atMicros: cancel.startedAtMicros,
      absentSinceMicros: cancel.startedAtMicros,
    }
  },
}
