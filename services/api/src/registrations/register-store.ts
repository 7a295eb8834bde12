import { callEvent, type CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { Direction, MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import type { Store } from '../history/store.ts'
import { micros } from '../history/time-sql.ts'
import { registerColumnNames, type RegisterMessage } from './register-columns.ts'

/** AORs that one answer looks at, and messages of each. */
const maxAors = 1_000
const messagesEach = 60
const maxEvents = 5_000
const maxSearchSeconds = 20

export interface RegisterRange {
  readonly since: number
  readonly until: number
}

/** REGISTERs and their answers, of each its cells in JSON (`toRegisterCells`). The same twice is one row. @throws StoreError */
export async function insertRegisters(store: Store, lines: readonly string[]): Promise<void> {
  if (lines.length > 0)
    await store.insert(
      'registers',
      registerColumnNames,
      Buffer.from(lines.map((line) => `${line}\n`).join('')),
    )
}

/** The last messages of the AORs of live traffic, each oldest first. Where there are too many AORs, those that ever succeeded and
 *  were heard last are told: a scan must not push them out. @throws StoreError */
export async function readLatestRegisters(
  store: Store,
  { since, until }: RegisterRange,
): Promise<{ messages: RegisterMessage[]; truncated: boolean }> {
  const params = { since, until }
  const within = `capture = '' AND at >= ${micros('since')} AND at < ${micros('until')}`
  const rows = await store.query<RegisterRow & { aors: number }>(
    `WITH heard AS (SELECT node, aor FROM registers WHERE ${within}
       GROUP BY node, aor ORDER BY countIf(status >= 200 AND status < 300) > 0 DESC, max(at) DESC LIMIT ${maxAors + 1})
     SELECT *, (SELECT count() FROM heard) AS aors FROM (
       SELECT ${columns} FROM registers WHERE ${within} AND (node, aor) GLOBAL IN heard
       LIMIT 1 BY node, aor, registers.at, registers.id)
     ORDER BY atMicros DESC, idHex DESC LIMIT ${messagesEach} BY node, aor
     SETTINGS max_execution_time = ${maxSearchSeconds}`,
    params,
  )
  return { messages: rows.toReversed().map(toMessage), truncated: (rows[0]?.aors ?? 0) > maxAors }
}

/** The newest messages of one AOR, oldest first. @throws StoreError */
export async function readRegistersOf(
  store: Store,
  query: RegisterRange & { aor: string; node?: string | undefined; limit: number },
): Promise<RegisterMessage[]> {
  const { aor, node, since, until, limit } = query
  const rows = await store.query<RegisterRow>(
    `SELECT ${columns} FROM registers
     WHERE aor = {aor:String} AND capture = '' AND registers.at >= ${micros('since')} AND registers.at < ${micros('until')}
       ${node === undefined ? '' : 'AND node = {node:String}'}
     ORDER BY registers.at DESC, registers.id DESC LIMIT 1 BY registers.at, registers.id LIMIT {limit:UInt32}
     SETTINGS max_execution_time = ${maxSearchSeconds}`,
    { aor, since, until, limit, ...(node === undefined ? {} : { node }) },
  )
  return rows.toReversed().map(toMessage)
}

export const registrationKinds = [
  'contact-changed',
  'registration-changed',
  'peer-changed',
  'security-reported',
] as const
export type RegistrationEvent = Extract<CallEvent, { kind: (typeof registrationKinds)[number] }>

/** What Asterisk told of contacts, registrations of its own, and logins; the newest, oldest first. `subjects`: of these alone.
 *  @throws StoreError */
export async function readRegistrationEvents(
  store: Store,
  query: RegisterRange & { subjects?: readonly string[]; node?: string | undefined },
): Promise<RegistrationEvent[]> {
  const { subjects, node, since, until } = query
  const rows = await store.query<{ detail: string }>(
    `SELECT detail FROM callEvents
     WHERE linkedid = '' AND kind IN {kinds:Array(String)} AND at >= ${micros('since')} AND at < ${micros('until')}
       ${subjects === undefined ? '' : 'AND subject IN {subjects:Array(String)}'}
       ${node === undefined ? '' : 'AND node = {node:String}'}
     ORDER BY at DESC, id DESC LIMIT 1 BY at, id LIMIT ${maxEvents}
     SETTINGS max_execution_time = ${maxSearchSeconds}`,
    {
      kinds: registrationKinds,
      since,
      until,
      ...(subjects === undefined ? {} : { subjects }),
      ...(node === undefined ? {} : { node }),
    },
  )
  return rows.toReversed().flatMap(({ detail }) => {
    const parsed = callEvent.safeParse(JSON.parse(detail))
    return parsed.success && isRegistrationEvent(parsed.data) ? [parsed.data] : []
  })
}

function isRegistrationEvent(event: CallEvent): event is RegistrationEvent {
  return registrationKinds.some((kind) => kind === event.kind)
}

const columns = registerColumnNames
  .map((name) =>
    name === 'at'
      ? 'toUnixTimestamp64Micro(registers.at) AS atMicros'
      : name === 'id'
        ? 'lower(hex(registers.id)) AS idHex'
        : name,
  )
  .join(', ')

interface RegisterRow {
  atMicros: number
  idHex: string
  node: string
  aor: string
  source: MessageSource
  direction: Direction
  callId: string
  cseq: number
  status: number
  reason: string
  sightingKey: string
  clientAddress: string
  clientPort: number
  serverAddress: string
  serverPort: number
  userAgent: string
  contacts: string[]
  lifetimes: number[]
  hasCredentials: boolean
  isStale: boolean
}

function toMessage(row: RegisterRow): RegisterMessage {
  const { idHex, clientAddress, clientPort, serverAddress, serverPort, contacts, lifetimes, ...rest } = row
  return {
    ...rest,
    id: idHex,
    client: { address: clientAddress, port: clientPort },
    server: { address: serverAddress, port: serverPort },
    contacts: contacts.map((uri, index) => {
      const seconds = lifetimes[index] ?? -1
      return { uri, lifetimeSeconds: seconds < 0 ? null : seconds }
    }),
  }
}
