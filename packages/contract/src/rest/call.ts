import { z } from 'zod'
import { callMessage } from './message.ts'

export const severity = z.enum(['ok', 'info', 'warning', 'error'])

/** An option of pjsip.conf that a check is about, with the kind of section it stands in (`endpoint`, `aor`, …). */
const pjsipOption = z.object({
  option: z.string(),
  object: z.string(),
  /** The endpoint or trunk that the leg belongs to, where it is known. */
  endpoint: z.string().optional(),
  /** What Asterisk says it is set to now, `''` when it is not set; absent where it was not asked or did not answer. */
  value: z.string().optional(),
  /** `rtp_symmetric is no on endpoint acme`; where there is a value. */
  sentence: z.string().optional(),
})

/** What the verdict engine says, with evidence. Made by `packages/sip`, the same in browser and API. */
export const finding = z.object({
  ruleId: z.string(),
  severity,
  /** Who should act. */
  side: z.enum(['us', 'peer', 'network', 'user', 'none']),
  confidence: z.enum(['high', 'medium', 'low']),
  title: z.string(),
  sentence: z.string(),
  /** Message ids. */
  evidence: z.array(z.string()),
  checks: z.array(z.string()),
  rfc: z.array(z.string()),
  options: z.array(pjsipOption).optional(),
})

export const callState = z.enum([
  'registration',
  'other',
  'setting-up',
  'ringing',
  'in-call',
  'completed',
  'cancelled',
  'busy',
  'rejected',
  'failed',
  'diverted',
])

export const callLeg = z.object({
  callId: z.string(),
  channel: z.string().nullable(),
  uniqueid: z.string().nullable(),
  linkedid: z.string().nullable(),
  /** How the leg is known to belong here. */
  link: z.enum(['asked', 'getvar', 'hep', 'guess']),
  /** Why, where it is less than what Asterisk answered. */
  reason: z.string().optional(),
})

/** One call: the messages of all its legs in order of time, each row one sighting. */
export const callDetail = z.object({
  id: z.string(),
  state: callState,
  from: z.string(),
  to: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  legs: z.array(callLeg),
  findings: z.array(finding),
  /** Why current values of the findings' options are missing. */
  optionsProblem: z.string().optional(),
  messages: z.array(callMessage),
  /** True when there were more messages than are sent in one answer. */
  truncated: z.boolean(),
  /** Since when and by whom (`''`: a person, else the name of a watch) it is kept beyond retention. */
  pinned: z.object({ at: z.string(), by: z.string() }).nullable().optional(),
})
export type CallDetail = z.infer<typeof callDetail>

/** The call of a named capture (an import); absent: of live traffic. */
const capture = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'the id of an import')
  .optional()

export const callQuery = z.strictObject({ capture })
export const pcapQuery = z.strictObject({
  format: z.enum(['pcapng', 'pcap']).default('pcapng'),
  /** Pseudonyms for numbers, names, addresses and Call-IDs; digests removed. */
  mask: z.enum(['true', 'false']).default('false'),
  capture,
})
