import { isSuccess, statusOf } from './leg.ts'
import { sdpOf } from './message-sdp.ts'
import type { Sdp, SdpDirection } from './sdp.ts'
import type { SipMessage } from './message.ts'
import { rememberOfLeg } from './remember.ts'
import { sessionChanges } from './session-changes.ts'
import type { Transaction } from './transaction.ts'

/** Direction of the audio that a message asks for; `inactive` also for the old hold with c=0.0.0.0 (RFC 3264 8.4). Null
 *  without audio. */
export function audioDirection(message: SipMessage | undefined): SdpDirection | null {
  const audio = audioOf(sdpOf(message))
  if (audio === undefined) return null
  return audio.address === '0.0.0.0' && audio.direction === 'sendrecv' ? 'sendonly' : audio.direction
}

function audioOf(sdp: Sdp | null) {
  return sdp?.media.find(({ kind, port }) => kind === 'audio' && port !== 0)
}

export interface HoldChange {
  readonly transaction: Transaction
  readonly offered: SdpDirection
  readonly answered: SdpDirection | null
}

/** The accepted changes of the audio's direction, in order; those without SDP change nothing. */
export const holdChanges = rememberOfLeg((leg): readonly HoldChange[] =>
  sessionChanges(leg).flatMap((transaction) => {
    if (!isSuccess(statusOf(transaction.final))) return []
    const offered = audioDirection(transaction.request?.message.message)
    if (offered === null) return []
    return { transaction, offered, answered: audioDirection(transaction.final?.message.message) }
  }),
)

export function isHold(direction: SdpDirection): boolean {
  return direction === 'sendonly' || direction === 'inactive'
}
