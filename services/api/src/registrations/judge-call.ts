import type { RegistrationDetail } from '@sip-capture/contract/rest/registration.ts'
import { analyseCall } from '@sip-capture/sip/call.ts'
import { readCall } from '../call-messages.ts'
import type { History } from '../history/history-process.ts'
import { toObservedMessage } from '../ingest/message-row.ts'

const maxMessages = 500

/** The verdict on a Call-ID of REGISTERs. @throws HistoryUnavailable */
export async function judgeCall(
  history: History,
  callId: string,
  nowMicros: number,
): Promise<RegistrationDetail['findings']> {
  const { views } = await readCall(history, callId, { max: maxMessages })
  const observed = views.map(toObservedMessage).filter((message) => message !== undefined)
  return analyseCall(observed, { nowMicros }).findings.map((finding) => ({
    ...finding,
    evidence: [...finding.evidence],
    checks: [...finding.checks],
    rfc: [...finding.rfc],
  }))
}
