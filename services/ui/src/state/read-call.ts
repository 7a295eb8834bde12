import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import {
  callBegin,
  callEnd,
  callFailed,
  callPiece,
  type JudgedCall,
} from '@sip-capture/contract/rest/call-stream.ts'
import type { MessageSight } from '@sip-capture/contract/rest/message.ts'
import { type ApiResult, check, fail, getLines, parseJson } from './api-client.ts'

interface CallContent {
  readonly legs: CallDetail['legs']
  /** In order of time. */
  readonly messages: readonly MessageSight[]
}

/** A call with all its messages, and what is judged of them. */
export type WholeCall = JudgedCall & CallContent

/** A call of which not all messages are here yet. */
export interface CallPart extends CallContent {
  /** How many there will be. */
  readonly total: number
}

/** `/calls/{id}/stream`. `onPart` is told of what is there so far; nothing more is read before it is done. */
export async function readCall(
  path: string,
  signal: AbortSignal,
  onPart: (part: CallPart) => Promise<void>,
): Promise<ApiResult<WholeCall>> {
  const lines = await getLines(path, signal)
  if (!lines.ok) return lines
  let legs: CallDetail['legs'] = []
  let total = 0
  let messages: readonly MessageSight[] = []
  for await (const text of lines.value) {
    const line = parseJson(text)
    if (!line.ok) return line
    const type = typeOf(line.value)
    if (type === 'messages') {
      const piece = check(line.value, callPiece)
      if (!piece.ok) return piece
      messages = messages.concat(piece.value.items)
      if (messages.length < total) await onPart({ legs, messages, total })
    } else if (type === 'begin') {
      const begin = check(line.value, callBegin)
      if (!begin.ok) return begin
      ;({ legs, total } = begin.value)
    } else if (type === 'end') {
      const end = check(line.value, callEnd)
      return end.ok ? { ok: true, value: { ...end.value.call, legs, messages } } : end
    } else if (type === 'failed') {
      const failed = check(line.value, callFailed)
      return failed.ok ? fail('refused', failed.value.message) : failed
    }
  }
  return signal.aborted
    ? fail('aborted', 'No longer needed.')
    : fail('unreachable', 'The answer of the API was cut off. Try again.')
}

function typeOf(line: unknown): unknown {
  return typeof line === 'object' && line !== null && 'type' in line ? line.type : undefined
}
