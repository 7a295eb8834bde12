import type { SipMessage } from './message.ts'
import { rememberOfMessage } from './remember.ts'
import { parseSdp, type Sdp } from './sdp.ts'

const read = rememberOfMessage((message: SipMessage): Sdp | null =>
  message.hasSdp ? parseSdp(message.bodyText) : null,
)

/** The SDP of a message, read once; null when its body is none. */
export function sdpOf(message: SipMessage | undefined): Sdp | null {
  return message === undefined ? null : read(message)
}
