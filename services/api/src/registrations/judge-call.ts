import type { RegistrationDetail } from '@sip-capture/contract/rest/registration.ts'
import { analyseCall } from '@sip-capture/sip/call.ts'
import { readCall } from '../call-messages.ts'
import { ApiError } from '../errors.ts'
import type { History } from '../history/history-process.ts'
import { type MessageView, toObservedMessage } from '../ingest/message-row.ts'

const maxMessages = 500

/** The verdict on a Call-ID of REGISTERs: none where its messages are not stored yet, as their lines in `registers` are a moment
 *  before. @throws HistoryUnavailable */
export async function judgeCall(
  history: History,
  callId: string,
  nowMicros: number,
): Promise<RegistrationDetail['findings']> {
  const views = await readViews(history, callId)
  const observed = views.map(toObservedMessage).filter((message) => message !== undefined)
  return analyseCall(observed, { nowMicros }).findings.map((finding) => ({
    ...finding,
    evidence: [...finding.evidence],
    checks: [...finding.checks],
    rfc: [...finding.rfc],
  }))
}

async function readViews(history: History, callId: string): Promise<readonly MessageView[]> {
  try {
    return (await readCall(history, callId, { max: maxMessages })).views
  } catch (error) {
    if (error instanceof ApiError && error.code === 'not-found') return []
    throw error
  }
}
