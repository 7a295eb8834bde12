import { z } from 'zod'
import { maxMicros } from '../time.ts'

/** Where an endpoint can be reached, as it registered or as it is configured. */
export const endpointContact = z.object({
  aor: z.string().max(256),
  uri: z.string().max(512),
  /** `Reachable`, `Unreachable`, `NonQualified`, `Unknown`, `Created`. */
  status: z.string().max(64).default(''),
  /** Of the last OPTIONS that was answered; null where it is not qualified. */
  roundTripMicros: z.int().min(0).max(4_294_967_295).nullable().default(null),
  userAgent: z.string().max(256).default(''),
  /** When the registration ends; null for a contact of the configuration. */
  expiresAtMicros: z.int().min(0).max(maxMicros).nullable().default(null),
})
export type EndpointContact = z.infer<typeof endpointContact>

/** Asterisk registers there. */
export const outboundRegistration = z.object({
  name: z.string().max(256),
  serverUri: z.string().max(512),
  clientUri: z.string().max(512),
  /** `Registered`, `Unregistered`, `Rejected`, `Stopped`. */
  status: z.string().max(64),
})
export type OutboundRegistration = z.infer<typeof outboundRegistration>

/** Who is behind an address, as Asterisk says: endpoints (phones and trunks) with contacts and identify matches. */
export const endpointEntry = z.object({
  name: z.string().max(256),
  deviceState: z.string().max(64).default(''),
  /** Contacts and resolved server addresses. Port 0: any port. */
  addresses: z.array(z.object({ address: z.string().max(64), port: z.int().min(0).max(65535) })).max(64),
  /** `identify` matches: an address or CIDR. */
  matches: z.array(z.string().max(128)).max(256),
  /** True for an endpoint that registers outbound or is identified by address: what people call a trunk. */
  isTrunk: z.boolean(),
  contacts: z.array(endpointContact).max(64).default([]),
  registrations: z.array(outboundRegistration).max(16).default([]),
})
export type EndpointEntry = z.infer<typeof endpointEntry>

export const endpointDirectory = z.object({
  v: z.literal(1),
  node: z.string().max(256),
  atMicros: z.int().min(0).max(maxMicros),
  endpoints: z.array(endpointEntry).max(20_000),
  /** The PBX's own signalling addresses (transports), which decide the direction. Port 0: any. */
  ownAddresses: z
    .array(z.object({ address: z.string().max(64), port: z.int().min(0).max(65535) }))
    .max(256)
    .default([]),
})
export type EndpointDirectory = z.infer<typeof endpointDirectory>
