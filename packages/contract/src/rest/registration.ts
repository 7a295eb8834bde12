import { z } from 'zod'
import { callEvent } from '../bus/call-event.ts'
import { direction, messageSource } from '../bus/sip-record.ts'
import { finding } from './call.ts'
import { limitParam, timeParam } from './page.ts'

const hostPort = z.object({ address: z.string(), port: z.number() })

/**
 * How an AOR stands. `registered`: a binding that was granted has not run out. `expired`: it ran out and was not renewed.
 * `unregistered`: taken away. `refused`: the last try was refused, and nothing is bound. `challenged`: asked for a password that
 * never came. `unanswered`: no answer for 32 s (64·T1, RFC 3261 17.1.2.2).
 */
export const registrationStates = [
  'registered',
  'expired',
  'unregistered',
  'refused',
  'challenged',
  'unanswered',
  'pending',
] as const
export const registrationState = z.enum(registrationStates)
export type RegistrationState = z.infer<typeof registrationState>

/** Why a binding was lost or moved. */
export const registrationChanges = ['expired', 'unregistered', 'moved', 'unreachable', 'removed'] as const
export const registrationChange = z.enum(registrationChanges)
export type RegistrationChange = z.infer<typeof registrationChange>

export const refusal = z.object({
  at: z.string(),
  /** Of the response; null where only Asterisk told of it. */
  status: z.number().nullable(),
  reason: z.string(),
  /** A sentence. */
  why: z.string(),
  callId: z.string(),
  /** Refusals since the last success. */
  count: z.number(),
})

const boundContact = z.object({
  uri: z.string(),
  /** Where the REGISTER came from; null where only Asterisk told of the contact. */
  client: hostPort.nullable(),
  expiresAt: z.string().nullable(),
  grantedSeconds: z.number().nullable(),
  userAgent: z.string(),
  /** Asterisk's word, `''` where it told none. */
  status: z.string(),
  roundTripMicros: z.number().nullable(),
})

/** One AOR of one PBX. */
export const registrationRow = z.object({
  /** `user@host` of To; `user` where no REGISTER was seen and only Asterisk told of it. */
  aor: z.string(),
  node: z.string(),
  /** Asterisk's endpoint or trunk; null where the directory has none. */
  endpoint: z.string().nullable(),
  /** `in`: it registers with Asterisk; `out`: Asterisk registers there. */
  direction,
  state: registrationState,
  contacts: z.array(boundContact),
  /** Of the binding that lasts longest. */
  expiresAt: z.string().nullable(),
  /** Less than a tenth of its time is left, and nobody has renewed it. */
  isExpiring: z.boolean(),
  /** Lost or moved three times or more within 15 minutes. */
  isFlapping: z.boolean(),
  /** Losses and moves of the last 15 minutes. */
  recentChanges: z.number(),
  /** Newer than the last success; else null. */
  refusal: refusal.nullable(),
  lastAt: z.string().nullable(),
  /** Asterisk's word for a registration of its own, else `''`. */
  outboundStatus: z.string(),
})
export type RegistrationRow = z.infer<typeof registrationRow>

const range = { since: timeParam.optional(), until: timeParam.optional() }

export const registrationsQuery = z.strictObject({
  ...range,
  /** Part of AOR, endpoint, address or User-Agent, ASCII letters alike. */
  text: z.string().min(1).max(256).optional(),
  state: registrationState.optional(),
  only: z.enum(['expiring', 'flapping', 'refused']).optional(),
  node: z.string().max(256).optional(),
})

export const registrationsAnswer = z.object({
  /** The time that "now" is counted from. */
  at: z.string(),
  items: z.array(registrationRow),
  /** True when there are more AORs than are looked at. */
  truncated: z.boolean(),
})
export type RegistrationsAnswer = z.infer<typeof registrationsAnswer>

const registerMessage = z.object({
  kind: z.literal('message'),
  at: z.string(),
  id: z.string(),
  callId: z.string(),
  direction,
  /** Null: the REGISTER itself. */
  status: z.number().nullable(),
  reason: z.string(),
  client: hostPort,
  server: hostPort,
  /** Asked for, or granted; null where it is not said. */
  expiresSeconds: z.number().nullable(),
  contacts: z.array(z.string()),
  userAgent: z.string(),
  /** The request had, or the answer is to one that had. */
  hasCredentials: z.boolean(),
  isStale: z.boolean(),
  isResent: z.boolean(),
  sources: z.array(messageSource),
})

/** Worked out: what was bound before is not any more, or is elsewhere. */
const registrationChanged = z.object({
  kind: z.literal('change'),
  at: z.string(),
  change: registrationChange,
  from: z.string(),
  to: z.string(),
})

/** What Asterisk told: ContactStatus, Registry, PeerStatus, security events. */
const registrationEvent = z.object({ kind: z.literal('asterisk'), at: z.string(), event: callEvent })

export const registrationStep = z.discriminatedUnion('kind', [
  registerMessage,
  registrationChanged,
  registrationEvent,
])
export type RegistrationStep = z.infer<typeof registrationStep>

export const registrationQuery = z.strictObject({
  ...range,
  node: z.string().max(256).optional(),
  limit: limitParam,
})

/** `GET /registrations/{aor}`: the newest steps, oldest first. */
export const registrationDetail = z.object({
  at: z.string(),
  summary: registrationRow,
  steps: z.array(registrationStep),
  /** Of the last Call-ID: the same verdict as everywhere. */
  findings: z.array(finding),
  /** There are older steps in the range than were sent. */
  truncated: z.boolean(),
})
export type RegistrationDetail = z.infer<typeof registrationDetail>
