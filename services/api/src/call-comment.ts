import { analyseCall } from '@sip-capture/sip/call.ts'
import { toPrintable } from '@sip-capture/sip/printable.ts'
import { toObservedMessage, type MessageView } from './ingest/message-row.ts'

/** A call of more messages is not judged for a comment, since a flood may share one Call-ID: no more need be given. */
export const maxJudgedMessages = 2_000
const maxCallIdCharacters = 255
const maxLegs = 20

/**
 * What a capture file says of a call on its first packet, a line each: the Call-ID of every leg, the state, the first
 * finding. `''` for what is not SIP or has no Call-ID. The views are those that the file shows: masked where it is masked.
 */
export function describeCall(views: readonly MessageView[], nowMicros: number): string {
  const observed = views.map(toObservedMessage).filter((message) => message !== undefined)
  const callIds = [...new Set(observed.map(({ message }) => message.callId))].filter((id) => id !== '')
  if (callIds.length === 0) return ''
  const lines = callIds.slice(0, maxLegs).map(callIdLine)
  if (views.length > maxJudgedMessages) return [...lines, unjudged(tooManyMessages)].join('\n')
  const { state, findings } = analyseCall(observed, { nowMicros })
  return [...lines, ...describeVerdict(state, findings[0])].join('\n')
}

/** The lines behind the Call-IDs. */
export function describeVerdict(
  state: string,
  first: { readonly title: string; readonly sentence: string } | undefined,
): string[] {
  return [`State: ${state}`, ...(first === undefined ? [] : [`Verdict: ${first.title}. ${first.sentence}`])]
}

const tooManyMessages = `the call has more than ${maxJudgedMessages} messages`

export function callIdLine(callId: string): string {
  return `Call-ID: ${toPrintable(callId, maxCallIdCharacters)}`
}

function unjudged(why: string): string {
  return `Verdict not worked out: ${why}`
}
