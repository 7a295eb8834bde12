import type { VerdictRule } from '../finding.ts'
import { isChallenge, statusOf } from '../leg.ts'
import { answerDelay, answerText, calledNumber, givenReasons, nameOf, refusal, sideOf } from '../wording.ts'

const sections = ['', '', '', 'RFC 3261 21.3', 'RFC 3261 21.4', 'RFC 3261 21.5', 'RFC 3261 21.6']

/** Any refusal of the INVITE that no rule before this one knows better. */
export const rejected: VerdictRule = {
  id: 'F00-call-rejected',
  title: 'Call refused',
  meaning: 'The call was refused with a code that has no rule of its own.',
  kind: 'outcome',
  checks: ['the log of the side that answered, at that second'],
  rfc: ['RFC 3261 21'],
  methods: ['INVITE'],
  isOfFinal: (status) => status >= 300,
  explain({ attempt }) {
    const status = statusOf(attempt?.final ?? null)
    // 422 is told by its own rule wherever it comes, 487 is a cancelled call.
    if (!attempt?.final || status < 300 || isChallenge(status) || status === 422 || status === 487)
      return null
    return {
      ...refusal(attempt, attempt.final),
      severity: status < 400 ? 'info' : 'error',
      side: sideOf(attempt, 'server'),
      title: `Call ${status < 400 ? 'redirected' : 'refused'}: ${answerText(attempt.final)}`,
      sentence:
        `${nameOf(attempt, 'server')} answered the call to ${calledNumber(attempt)} with ${answerText(attempt.final)} ` +
        `after ${answerDelay(attempt, attempt.final)}.${givenReasons(attempt.final)}`,
      rfc: [sections[Math.floor(status / 100)] ?? 'RFC 3261 21'],
    }
  },
}
