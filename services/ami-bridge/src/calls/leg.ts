import type { CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import type { LinkSource } from '@sip-capture/contract/bus/calls/leg.ts'
import { type AmiBlock, field } from '../ami/block.ts'

/** What the events said of a channel. Hints: none of it is believed where it decides, unless Asterisk answered the same. */
export interface ReportedChannel {
  readonly startedAtMicros: number
  readonly uniqueid: string
  readonly linkedid: string
  callerNumber: string
  callerName: string
  /** The number dialled: by the far end for an incoming channel, by Asterisk for an outgoing one. */
  exten: string
  context: string
  /** `in`: the far end calls. Undefined: nobody said. */
  direction: 'in' | 'out' | undefined
  /** The events contradict each other: one of them was forged. */
  isContradicted: boolean
}

/** A channel of Asterisk's that is followed: PJSIP, and Local, which joins calls. */
export interface Leg {
  readonly channel: string
  readonly technology: string
  readonly endpoint: string
  readonly reported: ReportedChannel
  /** As answered; `''` before. */
  uniqueid: string
  linkedid: string
  callId: string
  from: LinkSource | undefined
  isAnswered: boolean
  isAsking: boolean
  /** Something changed while it was being asked. */
  isStale: boolean
  attempts: number
  /** What waits for the first answer about the channel. */
  readonly whenConfirmed: (() => void)[]
  /** Its Hangup, where it ended before Asterisk could be asked. */
  ended: { readonly atMicros: number; readonly block: AmiBlock } | undefined
}

const followed = /^(?:PJSIP|Local)\/\P{Cc}{1,250}$/u
const pjsipEndpoint = /^PJSIP\/(.+)-[0-9a-f]{8,}$/

export const isFollowed = (channel: string): boolean => followed.test(channel)
export const isConfirmed = (leg: Leg): boolean => leg.uniqueid !== ''
export const hasCallId = (leg: Leg): boolean => leg.technology === 'PJSIP'

export function createLeg(
  channel: string,
  hint: { uniqueid: string; linkedid: string },
  atMicros: number,
): Leg {
  return {
    channel,
    technology: channel.slice(0, channel.indexOf('/')),
    endpoint: pjsipEndpoint.exec(channel)?.[1] ?? '',
    reported: {
      startedAtMicros: atMicros,
      uniqueid: hint.uniqueid,
      linkedid: hint.linkedid,
      callerNumber: '',
      callerName: '',
      exten: '',
      context: '',
      direction: undefined,
      isContradicted: false,
    },
    uniqueid: '',
    linkedid: '',
    callId: '',
    from: undefined,
    isAnswered: false,
    isAsking: false,
    isStale: false,
    attempts: 0,
    whenConfirmed: [],
    ended: undefined,
  }
}

/** Takes what a Newchannel or DialBegin says into `leg.reported`. */
export function takeReport(leg: Leg, block: AmiBlock): void {
  const { reported } = leg
  if (block.name === 'Newchannel') {
    reported.callerNumber = unlessNone(field(block, 'CallerIDNum'))
    reported.callerName = unlessNone(field(block, 'CallerIDName'))
    reported.context = field(block, 'Context')
    // 4, Ring: the far end calls. 0, Down: Asterisk is about to dial.
    if (field(block, 'ChannelState') === '4') {
      reported.direction = 'in'
      reported.exten = field(block, 'Exten')
    }
  } else if (block.name === 'DialBegin' && field(block, 'DestChannel') === leg.channel) {
    reported.direction = 'out'
    reported.exten = dialledNumber(field(block, 'DialString'))
  }
}

/** `2001@trunk`, `PJSIP/2001@trunk` (a queue's), `trunk/sip:2001@host`, `6001` → the number. */
function dialledNumber(dialString: string): string {
  return /sips?:([^@;]+)/.exec(dialString)?.[1] ?? /^(?:PJSIP\/|Local\/)?([^@/]*)/.exec(dialString)?.[1] ?? ''
}

/** Asterisk's words for nothing there. */
export const unlessNone = (text: string): string => (/^<(?:none|unknown)>$/.test(text) ? '' : text)

/** The event's ids beside those of the first event about this channel. */
export function noteIds(leg: Leg, hint: { uniqueid: string; linkedid: string }): void {
  const { reported } = leg
  if (hint.uniqueid !== reported.uniqueid || hint.linkedid !== reported.linkedid)
    reported.isContradicted = true
}

/** The ids to write with what is told of the leg: as answered, else as reported. */
export function headOf(leg: Leg, node: string, atMicros: number) {
  const ids = isConfirmed(leg) ? leg : leg.reported
  return {
    v: 1 as const,
    node,
    atMicros,
    channel: leg.channel.slice(0, 512),
    uniqueid: ids.uniqueid.slice(0, 150),
    linkedid: ids.linkedid.slice(0, 150),
  }
}

export function toStarted(leg: Leg, node: string): CallEventOf<'leg-started'> {
  const { reported } = leg
  return {
    ...headOf(leg, node, reported.startedAtMicros),
    kind: 'leg-started',
    technology: leg.technology,
    endpoint: leg.endpoint.slice(0, 256),
    callerNumber: reported.callerNumber.slice(0, 256),
    callerName: reported.callerName.slice(0, 256),
    exten: reported.exten.slice(0, 256),
    context: reported.context.slice(0, 256),
  }
}

export function toEnded(leg: Leg, block: AmiBlock, node: string, atMicros: number): CallEventOf<'leg-ended'> {
  const cause = Number(field(block, 'Cause'))
  return {
    ...headOf(leg, node, atMicros),
    kind: 'leg-ended',
    cause: Number.isInteger(cause) && cause >= 0 && cause <= 255 ? cause : 0,
    causeText: field(block, 'Cause-txt').slice(0, 256),
    techCause: field(block, 'TechCause').slice(0, 256),
  }
}
