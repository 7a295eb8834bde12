import type { Direction } from '@sip-capture/contract/bus/sip-record.ts'
import type { RegistrationState } from '@sip-capture/contract/rest/registration.ts'
import type { Store } from '../history/store.ts'
import { type Binding, type BindingHistory, followBindings, type RefusedRegister } from './binding-history.ts'
import type { RegisterMessage } from './register-columns.ts'
import {
  readLatestRegisters,
  readRegistersOf,
  readRegistrationEvents,
  type RegisterRange,
  type RegistrationEvent,
} from './register-store.ts'

/** What the messages of one AOR say of it. */
export interface AorHistory {
  readonly aor: string
  readonly node: string
  readonly direction: Direction
  readonly state: RegistrationState
  readonly bindings: readonly Binding[]
  readonly refused: RefusedRegister | null
  /** When a binding was lost or moved, epoch microseconds. */
  readonly changedAtMicros: readonly number[]
  readonly userAgent: string
  readonly lastAtMicros: number
}

export interface RegistrationHistory {
  readonly aors: AorHistory[]
  readonly events: RegistrationEvent[]
  readonly truncated: boolean
}

/** Messages, what they change, and what Asterisk told, of one AOR. */
export interface AorTimeline extends Pick<BindingHistory, 'messages' | 'changes'> {
  readonly summary: AorHistory | null
  readonly events: RegistrationEvent[]
  readonly truncated: boolean
}

/** @throws StoreError */
export async function readRegistrations(store: Store, range: RegisterRange): Promise<RegistrationHistory> {
  const [{ messages, truncated }, events] = await Promise.all([
    readLatestRegisters(store, range),
    readRegistrationEvents(store, range),
  ])
  const groups = new Map<string, RegisterMessage[]>()
  for (const message of messages) {
    const key = `${message.node}\0${message.aor}`
    const group = groups.get(key)
    if (group) group.push(message)
    else groups.set(key, [message])
  }
  const aors = [...groups.values()].flatMap((group) => toAorHistory(group, range.until) ?? [])
  return { aors, events, truncated }
}

/** @throws StoreError */
export async function readRegistration(
  store: Store,
  query: RegisterRange & {
    aor: string
    node?: string | undefined
    subjects: readonly string[]
    limit: number
  },
): Promise<AorTimeline> {
  const [found, events] = await Promise.all([
    readRegistersOf(store, { ...query, limit: query.limit + 1 }),
    readRegistrationEvents(store, query),
  ])
  const truncated = found.length > query.limit
  // Two PBXs may know the same AOR: the one that heard of it last is meant.
  const node = found.at(-1)?.node
  const messages = found.slice(truncated ? 1 : 0).filter((message) => message.node === node)
  const history = followBindings(messages, query.until)
  return {
    messages: history.messages,
    changes: history.changes,
    summary: summarise(messages, history),
    events: events.filter((event) => node === undefined || event.node === node),
    truncated,
  }
}

function toAorHistory(messages: readonly RegisterMessage[], nowMicros: number): AorHistory | null {
  return summarise(messages, followBindings(messages, nowMicros))
}

function summarise(messages: readonly RegisterMessage[], history: BindingHistory): AorHistory | null {
  const last = messages.at(-1)
  if (last === undefined) return null
  const { direction, state, bindings, refused, changes } = history
  return {
    aor: last.aor,
    node: last.node,
    direction,
    state,
    bindings,
    refused,
    changedAtMicros: changes.map(({ atMicros }) => atMicros),
    userAgent: messages.findLast(({ status }) => status === 0)?.userAgent ?? '',
    lastAtMicros: last.atMicros,
  }
}
