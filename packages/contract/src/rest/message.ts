import { z } from 'zod'
import { direction, hostPort, messageSource, sipTransport } from '../bus/sip-record.ts'

/** A list in a query: repeated (`method=INVITE&method=BYE`) or once; no comma splitting, a Call-ID may hold commas. */
export const list = <T extends z.ZodType>(item: T) =>
  z.preprocess(
    (value) => (value === undefined ? undefined : [value].flat()),
    z.array(item).max(50).optional(),
  )

/** Text that a user filters by. */
export const needle = z.string().min(1).max(512)

/** Text in the search language (`search/parser.ts`); what is wrong with it the API says, with its place. */
export const searchText = z.string().min(1).max(2_000).optional()

/** `486`, or a class: `4xx`. */
export const statusFilter = z
  .string()
  .regex(/^([1-6]xx|[1-9]\d{2})$/i, 'a status code such as 486, or a class such as 4xx')
  .transform((value) => value.toLowerCase())

/** Which messages: the same words for REST queries, live subscriptions and exports. All given words must match; within
 *  a list any may. */
export const messageFilter = z.strictObject({
  /** Exact Call-ID, case-sensitive (RFC 3261 8.1.1.4). */
  callId: list(z.string().min(1).max(65_535)),
  /** Request method, or the CSeq method of a response; case-sensitive (RFC 3261 7.1), upper case for the known ones. */
  method: list(z.string().min(1).max(64)),
  status: list(statusFilter),
  /** Part of the From URI or display name, case-insensitive. */
  from: list(needle),
  to: list(needle),
  /** Part of the user of From, To, Request-URI, P-Asserted-Identity; digits match with or without a leading +. */
  number: list(needle),
  /** Either side's address, or address:port, [v6]:port. */
  address: list(needle),
  /** Endpoint or trunk name, exact. */
  trunk: list(needle),
  userAgent: list(needle),
  /** Part of the whole message text, case-insensitive. */
  text: list(needle),
  source: list(messageSource),
  /** A named capture (an import); absent: live traffic. */
  capture: list(needle),
  q: searchText,
})
export type MessageFilter = z.output<typeof messageFilter>

/** One side of a message, with its name where the directory knows one. */
export const party = hostPort.extend({ name: z.string().optional() })
export type Party = z.infer<typeof party>

export const nameAddress = z.object({
  displayName: z.string(),
  uri: z.string(),
  user: z.string(),
  host: z.string(),
  tag: z.string(),
})
export type NameAddress = z.infer<typeof nameAddress>

/** One message as one source saw it: a table row. */
export const messageRow = z.object({
  id: z.string(),
  /** RFC 3339 with microseconds. */
  at: z.string(),
  precisionMicros: z.number(),
  source: messageSource,
  node: z.string(),
  transport: sipTransport,
  direction,
  src: party,
  dst: party,
  /** `unparsed`: a payload on a SIP port that is not SIP. */
  kind: z.enum(['request', 'response', 'unparsed']),
  /** The request's method, or the CSeq method of a response. */
  method: z.string(),
  /** Status code of a response, else null. */
  status: z.number().nullable(),
  reason: z.string(),
  requestUri: z.string(),
  callId: z.string(),
  from: nameAddress,
  to: nameAddress,
  cseq: z.number().nullable(),
  /** Top Via branch. */
  branch: z.string(),
  userAgent: z.string(),
  /** Endpoint or trunk of the far side, or null. */
  trunk: z.string().nullable(),
  channel: z.string().nullable(),
  hasSdp: z.boolean(),
  sizeBytes: z.number(),
  copies: z.number(),
  /** Equal for two sightings of the same message by different sources. */
  sightingKey: z.string(),
  /** What is wrong with the message, or noteworthy about how it was seen. */
  problems: z.array(z.string()),
  capture: z.string().nullable(),
})
export type MessageRow = z.infer<typeof messageRow>

export const messageHeader = z.object({
  /** As written. */
  name: z.string(),
  /** Long form, lower case (`v` → `via`). */
  canonical: z.string(),
  /** Unfolded, trimmed. */
  value: z.string(),
  /** As received, folds included, without the last line end. */
  raw: z.string(),
})

/** One message whole. */
export const messageDetail = messageRow.extend({
  startLine: z.string(),
  headers: z.array(messageHeader),
  /** The message as UTF-8 text; bytes that are not UTF-8 show as U+FFFD. */
  raw: z.string(),
  rawBase64: z.string(),
  body: z.string(),
  frames: z.array(
    z.object({
      linkType: z.number(),
      at: z.string(),
      nanos: z.number(),
      base64: z.string(),
      originalLength: z.number(),
      interfaceName: z.string().optional(),
    }),
  ),
})
export type MessageDetail = z.infer<typeof messageDetail>

/** A message with its text: what the page needs to draw and judge a call. */
export const callMessage = messageRow.extend({ rawBase64: z.string() })
export type CallMessage = z.infer<typeof callMessage>

/** How one source saw a message, and its bytes: what they say is not said again. */
export const messageSight = callMessage.pick({
  id: true,
  at: true,
  precisionMicros: true,
  source: true,
  node: true,
  transport: true,
  direction: true,
  src: true,
  dst: true,
  trunk: true,
  copies: true,
  problems: true,
  rawBase64: true,
})
export type MessageSight = z.infer<typeof messageSight>
