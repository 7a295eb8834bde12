import type { LegSign } from './leg-signs.ts'
import type { Leg } from './leg.ts'

export type Severity = 'ok' | 'info' | 'warning' | 'error'

/** An option of pjsip.conf, by the kind of section it stands in. */
export interface PjsipOption {
  readonly option: string
  readonly object:
    | 'acl'
    | 'aor'
    | 'auth'
    | 'endpoint'
    | 'global'
    | 'identify'
    | 'registration'
    | 'system'
    | 'transport'
  /** The endpoint or trunk that the leg belongs to, where it is known. */
  readonly endpoint?: string | undefined
  /** What Asterisk says it is set to now: `yes`, `no`, a value, `''` when it is not set. Absent: not asked, or no answer. */
  readonly value?: string | undefined
  /** `rtp_symmetric is no on endpoint acme`; only where there is a value. */
  readonly sentence?: string | undefined
}

/** An option as Asterisk said it is set now; several sections of a kind may serve one endpoint. */
export interface CurrentOption {
  readonly endpoint: string
  readonly object: PjsipOption['object']
  readonly option: string
  /** Name of the section; `''` where there is only one of its kind. */
  readonly section: string
  readonly value: string
}

/** What a verdict rule says, with evidence. The shape is that of the REST contract. All text is plain text: foreign
 *  words in it have their control characters shown, and are never markup. */
export interface Finding {
  readonly ruleId: string
  readonly severity: Severity
  /** Who should act. */
  readonly side: 'us' | 'peer' | 'network' | 'user' | 'none'
  readonly confidence: 'high' | 'medium' | 'low'
  readonly title: string
  readonly sentence: string
  /** Message ids. */
  readonly evidence: string[]
  readonly checks: string[]
  readonly rfc: string[]
  /** The settings that the checks are about. */
  readonly options: PjsipOption[]
}

/** What a rule returns for a leg. What is left out is the rule's own. */
export interface Explanation {
  readonly severity: Severity
  readonly side: Finding['side']
  readonly confidence: Finding['confidence']
  readonly title?: string
  readonly sentence: string
  readonly evidence: readonly string[]
  readonly checks?: readonly string[]
  readonly rfc?: readonly string[]
  readonly options?: readonly PjsipOption[]
  /** When the decisive message was sent: orders causes before effects. */
  readonly atMicros: number
  /** True when it says why nobody talks on the leg, so that a leg behind it may be the cause. */
  readonly isFailure?: boolean
  /** True when it is known to be taken care of, so that it is no cause of anything. */
  readonly isHarmless?: boolean
  /** Set when it rests on a message that was not seen: since when that one was due. */
  readonly absentSinceMicros?: number
}

/** A time in which a source could not see: what did not come then may have come all the same. */
export interface BlindPeriod {
  readonly fromMicros: number
  readonly toMicros: number
  readonly why: 'gap' | 'encrypted'
}

/** What RTCP told of one RTP stream of a leg, averages over the call. */
export interface MediaReport {
  readonly callId: string
  /** Seen from the PBX. */
  readonly direction: 'received' | 'sent'
  /** How many reports told it. */
  readonly reports: number
  readonly lossPercent: number | null
  readonly jitterMillis: number | null
  readonly roundTripMillis: number | null
}

export interface VerdictContext {
  /** The time to judge by, epoch microseconds. */
  readonly nowMicros: number
  readonly blind?: readonly BlindPeriod[] | undefined
  /** What the PBX's options are set to, as far as it was asked. */
  readonly currentOptions?: readonly CurrentOption[] | undefined
  /** What is known of the media, as far as anyone asked. */
  readonly media?: readonly MediaReport[] | undefined
}

/** The context with what a rule may look at beside its leg. */
export interface CallContext extends VerdictContext {
  /** All legs of the call, in order of their first message. */
  readonly legs: readonly Leg[]
}

/** One rule a file. The texts say what it is about in general, for a page that lists all rules; `explain` says it of one
 *  leg, and answers null when the leg does not have it. Pure. */
export interface VerdictRule {
  /** Number of the rule and a readable slug: `R02-auth-wrong-password`. */
  readonly id: string
  readonly title: string
  /** What it means, in one or two sentences. */
  readonly meaning: string
  readonly checks: readonly string[]
  readonly rfc: readonly string[]
  readonly options?: readonly PjsipOption[]
  /** `outcome`: how the leg ended or stands; only the first of these that a leg has is told. */
  readonly kind: 'outcome' | 'symptom'
  /** Ids of rules whose trouble this one explains: it is told before them, and is as bad as they are. */
  readonly leadsTo?: readonly string[]
  /** It has nothing to say of a leg without a request of one of these methods, and is not asked there. */
  readonly methods?: readonly string[]
  /** It has nothing to say of a leg on which none of these was seen. */
  readonly signs?: readonly LegSign[]
  /** It has nothing to say of a leg unless its INVITE got a final status that this is true of; 0 while it has none. */
  readonly isOfFinal?: (status: number) => boolean
  /** What it answers follows from the leg and the context alone. Where it did not look at the context, its answer is kept
   *  until the leg has a further message. */
  explain(leg: Leg, context: CallContext): Explanation | null
}
