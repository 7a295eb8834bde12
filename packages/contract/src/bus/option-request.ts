import { z } from 'zod'
import { maxMicros } from '../time.ts'

/** The kinds of sections of pjsip.conf that an option may stand in. */
export const pjsipObjects = [
  'acl',
  'aor',
  'auth',
  'endpoint',
  'global',
  'identify',
  'registration',
  'system',
  'transport',
] as const
export const pjsipObject = z.enum(pjsipObjects)

/** An option by its name in pjsip.conf. */
export const wantedOption = z.object({
  object: pjsipObject,
  option: z.string().regex(/^[a-z0-9_]{1,64}$/, 'a name of pjsip.conf'),
})
export type WantedOption = z.infer<typeof wantedOption>

const requestId = z.string().regex(/^[0-9a-f]{32}$/)
/** Nothing that could end a line of the AMI protocol. */
const endpointName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}*$/u, 'must not hold control characters')

/** API → the bridge of one node, pub/sub as JSON: what are these options set to, for this endpoint? */
export const optionRequest = z.object({
  v: z.literal(1),
  id: requestId,
  endpoint: endpointName,
  options: z.array(wantedOption).min(1).max(128),
})
export type OptionRequest = z.infer<typeof optionRequest>

/** What Asterisk says it is set to. */
export const optionValue = z.object({
  ...wantedOption.shape,
  /** Name of the section; `''` where there is only one of its kind. */
  section: z.string().max(256),
  /** `yes` and `no` for flags; `''` when it is not set. A secret is `set` or `unset`. */
  value: z.string().max(512),
})
export type OptionValue = z.infer<typeof optionValue>

/** Bridge → API, pub/sub as JSON, by the id of the request. What Asterisk did not say is not in `values`. */
export const optionAnswer = z.object({
  v: z.literal(1),
  id: requestId,
  node: z.string().max(256),
  endpoint: endpointName,
  atMicros: z.int().min(0).max(maxMicros),
  values: z.array(optionValue).max(512),
  /** Why there are none, or not all; `''` when nothing is missing. */
  problem: z.string().max(500),
})
export type OptionAnswer = z.infer<typeof optionAnswer>
