import { z } from 'zod'
import { bridgeEntered, bridgeLeft, localPair } from './calls/bridge.ts'
import { dialBegun, dialEnded, transferred } from './calls/dial.ts'
import { contactChanged, peerChanged, registrationChanged, securityReported } from './calls/endpoint-event.ts'
import { callsJoined, legAnswered, legEnded, legLinked, legStarted } from './calls/leg.ts'
import { rtcpReported } from './calls/media-report.ts'

/**
 * One item of the stream `calls`. What decides about calls (`leg-started`, `leg-linked`, `leg-answered`, `leg-ended`,
 * `calls-joined`, `local-pair`) is confirmed by an answer to an action of the bridge's own. All else is what
 * Asterisk's events say of channels that are confirmed, or of no channel: to be shown, not to be built upon, since a
 * caller's text can forge an event. A kind that a reader does not know is skipped and counted.
 */
export const callEvent = z.discriminatedUnion('kind', [
  legStarted,
  legLinked,
  legAnswered,
  legEnded,
  callsJoined,
  bridgeEntered,
  bridgeLeft,
  localPair,
  dialBegun,
  dialEnded,
  transferred,
  rtcpReported,
  contactChanged,
  registrationChanged,
  peerChanged,
  securityReported,
])
export type CallEvent = z.infer<typeof callEvent>
export type CallEventOf<K extends CallEvent['kind']> = Extract<CallEvent, { kind: K }>
