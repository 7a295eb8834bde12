import { createHash } from 'node:crypto'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { callEventColumnNames, callJoinColumnNames, legColumnNames } from '../schema.ts'
import type { Store } from '../store.ts'

/** Links and ends; joins in both directions, so that each Linkedid finds the other by the key; all else as JSON, to be read
 *  whole. The same event twice is one row. @throws StoreError */
export async function insertEventRows(store: Store, events: readonly CallEvent[]): Promise<void> {
  const legs: unknown[][] = []
  const joins: unknown[][] = []
  const rows: unknown[][] = []
  for (const event of events) {
    if (event.kind === 'leg-linked' || event.kind === 'leg-ended') legs.push(toLegRow(event))
    if (event.kind === 'calls-joined') joins.push(...toJoinRows(event))
    else if (event.kind !== 'leg-linked') rows.push(toEventRow(event))
  }
  const insert = async (table: string, columns: readonly string[], lines: unknown[][]) => {
    if (lines.length === 0) return
    await store.insert(table, columns, Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join('')))
  }
  await insert('callJoins', callJoinColumnNames, joins)
  await insert('legs', legColumnNames, legs)
  await insert('callEvents', callEventColumnNames, rows)
}

const toColumnTime = (atMicros: number): string => toRfc3339(atMicros).replace('T', ' ').slice(0, -1)

function toLegRow(event: Extract<CallEvent, { kind: 'leg-linked' | 'leg-ended' }>): unknown[] {
  const { atMicros, kind, node, channel, uniqueid, linkedid } = event
  const head = [toColumnTime(atMicros), kind, node, channel, uniqueid, linkedid]
  return event.kind === 'leg-linked'
    ? [...head, event.callId, event.from, 0, '', '', event.reason]
    : [...head, '', '', event.cause, event.causeText, event.techCause, '']
}

function toJoinRows(event: Extract<CallEvent, { kind: 'calls-joined' }>): unknown[][] {
  const { atMicros, node, linkedid, otherLinkedid, by, through } = event
  const at = toColumnTime(atMicros)
  return [
    [at, node, linkedid, otherLinkedid, by, through],
    [at, node, otherLinkedid, linkedid, by, through],
  ]
}

function toEventRow(event: CallEvent): unknown[] {
  const detail = JSON.stringify(event)
  const id = createHash('sha256').update(detail).digest('hex').slice(0, 32)
  const isChannel = 'channel' in event
  return [
    toColumnTime(event.atMicros),
    event.kind,
    event.node,
    isChannel ? event.linkedid : '',
    isChannel ? '' : subjectOf(event),
    isChannel ? event.uniqueid : '',
    id,
    detail,
  ]
}

/** What an event that has no channel is about: an AOR, an endpoint, an account. */
function subjectOf(event: CallEvent): string {
  switch (event.kind) {
    case 'contact-changed':
      return event.aor || event.endpoint
    case 'peer-changed':
      return event.endpoint
    case 'registration-changed':
      return event.username
    case 'security-reported':
      return event.account
    default:
      return ''
  }
}
