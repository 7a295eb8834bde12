import type { Direction, HostPort, MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { challengesOf, credentialsOf } from '@sip-capture/sip/challenge.ts'
import { nameAddressParameter, nameAddressUri } from '@sip-capture/sip/name-address.ts'
import type { SipMessage } from '@sip-capture/sip/message.ts'
import type { MessageView } from '../ingest/message-row.ts'

/** What a REGISTER or an answer to one says about a binding; in the order of time within an AOR. */
export const registerColumns = [
  ['at', `DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1))`],
  ['id', 'UUID CODEC(ZSTD(1))'],
  ['node', 'LowCardinality(String)'],
  ['capture', 'LowCardinality(String)'],
  ['aor', 'String CODEC(ZSTD(1))'],
  ['source', 'LowCardinality(String)'],
  ['direction', 'LowCardinality(String)'],
  ['callId', 'String CODEC(ZSTD(1))'],
  ['cseq', 'Int64 CODEC(T64, ZSTD(1))'],
  ['status', 'UInt16 CODEC(ZSTD(1))'],
  ['reason', 'LowCardinality(String)'],
  ['sightingKey', 'String CODEC(ZSTD(1))'],
  ['clientAddress', 'LowCardinality(String)'],
  ['clientPort', 'UInt16 CODEC(ZSTD(1))'],
  ['serverAddress', 'LowCardinality(String)'],
  ['serverPort', 'UInt16 CODEC(ZSTD(1))'],
  ['userAgent', 'LowCardinality(String)'],
  ['contacts', 'Array(String) CODEC(ZSTD(1))'],
  ['lifetimes', 'Array(Int64) CODEC(ZSTD(1))'],
  ['hasCredentials', 'Bool'],
  ['isStale', 'Bool'],
] as const

export const registerColumnNames = registerColumns.map(([name]) => name)

/** One of `registers`, read back. */
export interface RegisterMessage {
  readonly atMicros: number
  readonly id: string
  readonly node: string
  readonly aor: string
  readonly source: MessageSource
  readonly direction: Direction
  readonly callId: string
  readonly cseq: number
  /** 0: the request. */
  readonly status: number
  readonly reason: string
  readonly sightingKey: string
  /** Who registers, and with whom. */
  readonly client: HostPort
  readonly server: HostPort
  readonly userAgent: string
  /** `*` takes all bindings away (RFC 3261 10.2.2). */
  readonly contacts: readonly { readonly uri: string; readonly lifetimeSeconds: number | null }[]
  readonly hasCredentials: boolean
  readonly isStale: boolean
}

const maxContacts = 32

/** A REGISTER or its answer → cells in the order of `registerColumns`; undefined for every other message. */
export function toRegisterCells(view: MessageView): unknown[] | undefined {
  const { record, naming, message } = view
  if (message === undefined || message.method !== 'REGISTER' || message.to.host === '') return undefined
  const isRequest = message.kind === 'request'
  const [client, server] = isRequest ? [record.src, record.dst] : [record.dst, record.src]
  const contacts = contactsOf(message)
  return [
    toRfc3339(record.atMicros).replace('T', ' ').slice(0, -1),
    record.id,
    record.node,
    naming.capture,
    toAor(message.to),
    record.source,
    naming.direction === 'unknown' ? 'unknown' : (naming.direction === 'in') === isRequest ? 'in' : 'out',
    message.callId,
    message.cseq?.number ?? -1,
    message.status ?? 0,
    message.reason,
    view.sightingKey,
    client.address,
    client.port,
    server.address,
    server.port,
    message.userAgent,
    contacts.map(({ uri }) => uri),
    contacts.map(({ lifetimeSeconds }) => lifetimeSeconds ?? -1),
    isRequest && credentialsOf(message).length > 0,
    !isRequest && challengesOf(message).some(({ isStale }) => isStale),
  ]
}

/** RFC 3261 10.2: the host alike in any letters, the user not; ports and parameters say nothing of who it is. */
export function toAor(uri: { user: string; host: string }): string {
  return uri.user === '' ? uri.host.toLowerCase() : `${uri.user}@${uri.host.toLowerCase()}`
}

/** A contact's own `expires` goes before the header (RFC 3261 10.2.1.1). */
function contactsOf(message: SipMessage): { uri: string; lifetimeSeconds: number | null }[] {
  const header = seconds(message.header('expires'))
  return message
    .headerValues('contact')
    .slice(0, maxContacts)
    .map((value) => ({
      uri: (value === '*' ? '*' : nameAddressUri(value)).slice(0, 512),
      lifetimeSeconds: seconds(nameAddressParameter(value, 'expires')) ?? header,
    }))
}

function seconds(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,10}$/.test(text) ? Number(text) : null
}
