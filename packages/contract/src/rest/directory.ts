import { z } from 'zod'
import { endpointContact, outboundRegistration } from '../bus/endpoint-directory.ts'
import { timeParam } from './page.ts'

export const endpointKind = z.enum(['endpoint', 'trunk'])

/** An endpoint of Asterisk's. `trunk`: it registers outbound or is identified by address. */
export const directoryEntry = z.object({
  /** NODE_NAME of the bridge that asked, and when. */
  node: z.string(),
  at: z.string(),
  name: z.string(),
  kind: endpointKind,
  /** Asterisk's word: `Not in use`, `In use`, `Unavailable`, … */
  deviceState: z.string(),
  /** Contacts and resolved servers; `name` from ALIASES_FILE. Port 0: any. */
  addresses: z.array(z.object({ address: z.string(), port: z.int(), name: z.string().optional() })),
  /** Addresses and networks by which it is identified. */
  matches: z.array(z.string()),
  contacts: z.array(
    endpointContact.omit({ expiresAtMicros: true }).extend({ expiresAt: z.string().nullable() }),
  ),
  registrations: z.array(outboundRegistration),
  /** Of the registrations together: `registered` when all are, `unregistered` when none is; null where there is none. */
  registration: z.enum(['registered', 'partly', 'unregistered']).nullable(),
  /** The quickest contact's answer to OPTIONS, microseconds; null where none is qualified. */
  roundTripMicros: z.int().nullable(),
})
export type DirectoryEntry = z.infer<typeof directoryEntry>

export const endpointsQuery = z.strictObject({
  kind: endpointKind.optional(),
  node: z.string().max(256).optional(),
})
export const directoryAnswer = z.object({ items: z.array(directoryEntry) })

/** Calls of one endpoint with one trunk; `endpoint` null where the other side of the call is not known. */
const trunkUsage = z.object({
  node: z.string(),
  trunk: z.string(),
  endpoint: z.string().nullable(),
  calls: z.number(),
  answered: z.number(),
  lastAt: z.string(),
})
export type TrunkUsage = z.infer<typeof trunkUsage>

export const trunkUsageQuery = z.strictObject({ since: timeParam.optional() })
export const trunkUsageAnswer = z.object({ items: z.array(trunkUsage) })

export const aliasesAnswer = z.object({
  addresses: z.array(z.object({ address: z.string(), name: z.string() })),
  numbers: z.array(z.object({ number: z.string(), name: z.string() })),
})
