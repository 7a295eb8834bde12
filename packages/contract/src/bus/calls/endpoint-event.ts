import { z } from 'zod'
import { callerText, eventHead } from './channel.ts'

/** A contact of an AOR changed: registered, gone, reachable or not. */
export const contactChanged = z.object({
  ...eventHead,
  kind: z.literal('contact-changed'),
  endpoint: z.string().max(256),
  aor: z.string().max(256),
  uri: z.string().max(512),
  /** `Reachable`, `Unreachable`, `NonQualified`, `Created`, `Removed`, `Updated`, `Unknown`. */
  status: z.string().max(64),
  /** Of the last OPTIONS that was answered. */
  roundTripMicros: z.int().min(0).max(4_294_967_295).optional(),
  userAgent: callerText.default(''),
})

/** An outbound registration of Asterisk's changed. */
export const registrationChanged = z.object({
  ...eventHead,
  kind: z.literal('registration-changed'),
  username: z.string().max(512),
  domain: z.string().max(512),
  /** `Registered`, `Unregistered`, `Rejected`, … */
  status: z.string().max(64),
  cause: z.string().max(256).default(''),
})

/** An endpoint became reachable or not, whatever its contacts. */
export const peerChanged = z.object({
  ...eventHead,
  kind: z.literal('peer-changed'),
  endpoint: z.string().max(256),
  status: z.string().max(64),
  cause: z.string().max(256).default(''),
})

export const securityReasons = [
  'InvalidPassword',
  'FailedACL',
  'InvalidAccountID',
  'ChallengeResponseFailed',
] as const

/** Why Asterisk turned a request away, which the wire cannot tell. */
export const securityReported = z.object({
  ...eventHead,
  kind: z.literal('security-reported'),
  reason: z.enum(securityReasons),
  /** `PJSIP`, `AMI`, … */
  service: z.string().max(64),
  /** Account as the peer named it. */
  account: callerText,
  /** The Call-ID, where the service is PJSIP. */
  session: z.string().max(1024),
  remoteAddress: z.string().max(64),
  remotePort: z.int().min(0).max(65_535),
  transport: z.string().max(16).default(''),
  /** The ACL that said no. */
  acl: z.string().max(256).default(''),
})
