import { messageSources, sipTransports } from '../bus/sip-record.ts'

/**
 * How a field is asked.
 * - `part`: part of a text, letters alike; with `*` the whole value.
 * - `exact`: the whole value, letter for letter; with `*` a pattern of it.
 * - `method`: exact, the known SIP methods in any case.
 * - `number`: part of a number, with or without a leading +; with `*` the whole number.
 * - `code`: `486`, `4xx`, `>=400`, `400..499`.
 * - `count`: whole numbers and ranges of them.
 * - `duration`: `30s`, `>5s`, `1m..2m`; in milliseconds inside.
 * - `since`, `until`: a moment; a bound on the field `at`.
 * - `time`: a range of moments; epoch microseconds inside.
 * - `address`: IP address, with or without port.
 * - `choice`: one of `choices`.
 */
export type FieldKind =
  | 'part'
  | 'exact'
  | 'method'
  | 'number'
  | 'code'
  | 'count'
  | 'duration'
  | 'since'
  | 'until'
  | 'time'
  | 'address'
  | 'choice'

export interface FieldSpec {
  readonly kind: FieldKind
  readonly help: string
  readonly example: string
  readonly aliases?: readonly string[]
  readonly choices?: readonly string[]
}

export const callStates = [
  'setting-up',
  'ringing',
  'in-call',
  'completed',
  'cancelled',
  'busy',
  'rejected',
  'failed',
  'diverted',
] as const

const at = {
  since: { kind: 'since', help: 'at or after', example: 'since:-24h' },
  until: { kind: 'until', help: 'before', example: 'until:2026-11-23T06:00Z' },
  at: { kind: 'time', help: 'a stretch of time', example: 'at:2026-11-23..2026-11-24' },
} as const satisfies Record<string, FieldSpec>

export const messageFields = {
  from: { kind: 'part', help: 'From: number, name or URI', example: 'from:+4420*' },
  to: { kind: 'part', help: 'To: number, name or URI', example: 'to:200' },
  number: {
    kind: 'number',
    help: 'user of From, To, Request-URI or P-Asserted-Identity',
    example: 'number:4420',
  },
  method: { kind: 'method', help: 'method, for a response that of its CSeq', example: 'method:INVITE' },
  status: { kind: 'code', aliases: ['code'], help: 'status code or class', example: 'status:5xx' },
  reason: { kind: 'part', help: 'reason phrase', example: 'reason:busy' },
  callid: {
    kind: 'exact',
    aliases: ['call-id', 'call'],
    help: 'Call-ID, letter for letter',
    example: 'callid:"a@b"',
  },
  trunk: {
    kind: 'exact',
    aliases: ['endpoint', 'peer'],
    help: 'endpoint or trunk of either side',
    example: 'trunk:acme',
  },
  address: {
    kind: 'address',
    aliases: ['ip', 'host'],
    help: 'address of either side, with or without port',
    example: 'address:192.0.2.1',
  },
  src: { kind: 'address', help: 'address of the sender', example: 'src:192.0.2.1:5060' },
  dst: { kind: 'address', help: 'address of the receiver', example: 'dst:192.0.2.1' },
  port: { kind: 'count', help: 'port of either side', example: 'port:5061' },
  ua: { kind: 'part', aliases: ['user-agent', 'agent'], help: 'User-Agent or Server', example: 'ua:yealink' },
  uri: { kind: 'part', aliases: ['request-uri'], help: 'Request-URI', example: 'uri:example.org' },
  text: { kind: 'part', help: 'anywhere in the message', example: 'text:"session progress"' },
  source: { kind: 'choice', choices: messageSources, help: 'where it was seen', example: 'source:wire' },
  transport: { kind: 'choice', choices: sipTransports, help: 'transport', example: 'transport:tls' },
  direction: {
    kind: 'choice',
    aliases: ['dir'],
    choices: ['in', 'out', 'unknown'],
    help: 'seen from the PBX',
    example: 'direction:in',
  },
  kind: {
    kind: 'choice',
    choices: ['request', 'response', 'unparsed'],
    help: 'kind of message',
    example: 'kind:request',
  },
  sdp: { kind: 'choice', choices: ['yes', 'no'], help: 'has a session description', example: 'sdp:yes' },
  cseq: { kind: 'count', help: 'CSeq number', example: 'cseq:>1' },
  branch: { kind: 'exact', help: 'branch of the top Via', example: 'branch:z9hG4bK*' },
  channel: { kind: 'exact', help: 'Asterisk channel', example: 'channel:PJSIP/acme-*' },
  node: { kind: 'exact', help: 'host that saw it', example: 'node:pbx1' },
  size: { kind: 'count', help: 'bytes of the message', example: 'size:>1400' },
  problem: { kind: 'part', help: 'what is wrong with the message', example: 'problem:truncated' },
  ...at,
} as const satisfies Record<string, FieldSpec>

export const callFields = {
  from: { kind: 'part', help: 'caller: number or name', example: 'from:+4420*' },
  to: { kind: 'part', help: 'called: number or name', example: 'to:200' },
  number: { kind: 'number', help: 'any number of any leg', example: 'number:4420' },
  state: { kind: 'choice', choices: callStates, help: 'where the call stands', example: 'state:failed' },
  answered: {
    kind: 'choice',
    choices: ['yes', 'no'],
    help: 'the caller got a 2xx',
    example: 'answered:yes',
  },
  code: { kind: 'code', aliases: ['status'], help: 'final status code or class', example: 'code:5xx' },
  reason: { kind: 'part', help: 'reason phrase of the final answer', example: 'reason:busy' },
  cause: { kind: 'count', help: 'Q.850 hangup cause', example: 'cause:34' },
  verdict: {
    kind: 'part',
    help: 'part of a rule’s id or of the verdict’s title',
    example: 'verdict:no-ack',
  },
  severity: {
    kind: 'choice',
    choices: ['ok', 'info', 'warning', 'error'],
    help: 'of the worst verdict',
    example: 'severity:error',
  },
  trunk: { kind: 'exact', help: 'trunk of any leg', example: 'trunk:acme' },
  endpoint: {
    kind: 'exact',
    aliases: ['peer'],
    help: 'endpoint or trunk of any leg',
    example: 'endpoint:100',
  },
  duration: {
    kind: 'duration',
    help: 'from the INVITE to the end, of calls that ended',
    example: 'duration:>30s',
  },
  talk: { kind: 'duration', help: 'from answer to end', example: 'talk:<10s' },
  ring: { kind: 'duration', help: 'ring time', example: 'ring:>20s' },
  pdd: { kind: 'duration', help: 'post-dial delay: INVITE to first 18x', example: 'pdd:>5s' },
  legs: { kind: 'count', help: 'number of legs (Call-IDs)', example: 'legs:>2' },
  messages: { kind: 'count', help: 'number of messages', example: 'messages:>50' },
  callid: {
    kind: 'exact',
    aliases: ['call-id', 'call'],
    help: 'Call-ID of any leg',
    example: 'callid:"a@b"',
  },
  linkedid: { kind: 'exact', help: 'Asterisk Linkedid', example: 'linkedid:1795391929.1' },
  node: { kind: 'exact', help: 'host that saw it', example: 'node:pbx1' },
  text: { kind: 'part', help: 'in numbers, names, ids, reason or verdict', example: 'text:acme' },
  ...at,
} as const satisfies Record<string, FieldSpec>

/** A field of the query; `since` and `until` are bounds on `at`. */
export type MessageField = Exclude<keyof typeof messageFields, 'since' | 'until'>
export type CallField = Exclude<keyof typeof callFields, 'since' | 'until'>

/** What can be searched, by name. */
export interface SearchTable<Field extends string> {
  readonly fields: Readonly<Record<string, FieldSpec>>
  /** What a word without a field is looked for in: text, and numbers where it looks like one. */
  readonly bare: { readonly text: Field; readonly number: Field }
  isField(name: string): name is Field
}

function toTable<Field extends string>(
  fields: Readonly<Record<Field | 'since' | 'until', FieldSpec>>,
  bare: SearchTable<Field>['bare'],
): SearchTable<Field> {
  return {
    fields,
    bare,
    isField: (name): name is Field => Object.hasOwn(fields, name) && name !== 'since' && name !== 'until',
  }
}

export const messageTable = toTable<MessageField>(messageFields, { text: 'text', number: 'number' })
export const callTable = toTable<CallField>(callFields, { text: 'text', number: 'number' })

/** Name as typed → the field's own name. */
export function findField(table: SearchTable<string>, typed: string): string | undefined {
  const name = typed.toLowerCase()
  if (Object.hasOwn(table.fields, name)) return name
  return Object.entries(table.fields).find(([, spec]) => spec.aliases?.includes(name))?.[0]
}

export function fieldNames(table: SearchTable<string>): string[] {
  return Object.entries(table.fields).flatMap(([name, spec]) => [name, ...(spec.aliases ?? [])])
}
