import { callEvent, type CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { decodeBatch, decodeRecords } from '@sip-capture/contract/codec.ts'
import type { Directory } from '../directory.ts'
import { PackedMessages } from '../history/packed-messages.ts'
import type { StreamEntry } from '../stream-entries.ts'
import { MessageView, toNaming } from './message-row.ts'

export interface DeadLetter {
  readonly key: string
  readonly id: string
  readonly bytes: Buffer
  readonly problem: string
}

/** Entries on their way into history: decoded, and what must be acknowledged once it is there. */
export class EntryBatch {
  readonly messages: PackedMessages
  readonly events: CallEvent[] = []
  readonly deadLetters: DeadLetter[] = []
  readonly acknowledge = new Map<string, string[]>()
  skippedNewer = 0
  /** Entries that were trimmed away before they were read. */
  gone = 0

  /** `memory` is cleared, and filled by this batch alone until it is stored. */
  constructor(memory = new PackedMessages()) {
    memory.clear()
    this.messages = memory
  }

  get isEmpty(): boolean {
    return this.acknowledge.size === 0
  }

  addMessages(key: string, entry: StreamEntry, directory: Directory): void {
    this.#note(key, entry)
    const batch = decodeRecords(entry.fields)
    for (const record of batch.items) this.messages.add(new MessageView(record, toNaming(record, directory)))
    this.#reject(key, entry.id, batch)
  }

  addCallEvents(key: string, entry: StreamEntry): void {
    this.#note(key, entry)
    const batch = decodeBatch(callEvent, entry.fields)
    this.events.push(...batch.items)
    this.#reject(key, entry.id, batch)
  }

  /** An entry that made the store fail again and again: kept aside, not tried again. */
  addPoison(key: string, entry: StreamEntry, problem: string): void {
    this.#note(key, entry)
    this.deadLetters.push({
      key,
      id: entry.id,
      bytes: Buffer.concat(entry.fields ?? []).subarray(0, 4096),
      problem,
    })
  }

  #note(key: string, { id, fields }: StreamEntry): void {
    if (fields === null) this.gone += 1
    const ids = this.acknowledge.get(key)
    if (ids) ids.push(id)
    else this.acknowledge.set(key, [id])
  }

  #reject(
    key: string,
    id: string,
    batch: { rejected: readonly { bytes: Buffer; problem: string }[]; skippedNewer: number },
  ): void {
    this.skippedNewer += batch.skippedNewer
    for (const rejected of batch.rejected) this.deadLetters.push({ key, id, ...rejected })
  }
}
