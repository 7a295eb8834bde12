import { setTimeout as pause } from 'node:timers/promises'
import { historyGroup } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { findChangedCallIds, insertCallEvents } from '../history/leg-store.ts'
import type { LegChanges } from '../history/legs/leg-changes.ts'
import { InsertMemory, insertMessages } from '../history/message-writer.ts'
import type { PackedCall, PackedMessages } from '../history/packed-messages.ts'
import { isBadData, type Store } from '../history/store.ts'
import type { DeadLetter, EntryBatch } from './entry-batch.ts'
import type { IngestCounters } from './ingest-counters.ts'

const maxDeadLetters = 10_000
const maxPauseMillis = 5_000

export interface HistorySink {
  /** Stores and then acknowledges. Tries until it succeeds or `signal` aborts. @throws when Redis fails. */
  write(batch: EntryBatch, signal: AbortSignal): Promise<void>
  /** Why the store does not take rows at the moment. */
  readonly problem: string | undefined
}

export function createHistorySink(options: {
  store: Store
  redis: Redis
  deadLetterKey: string
  legChanges: LegChanges
  /** Calls of which more is in history now. */
  onStored: (calls: readonly PackedCall[]) => void
  counters: IngestCounters
  logger: Logger
}): HistorySink {
  const { store, redis, deadLetterKey, legChanges, onStored, counters, logger } = options
  const memory = new InsertMemory()
  let problem: string | undefined

  /** Repeats while the store cannot; gives up only on data that it will never take. */
  async function persist(work: () => Promise<void>, signal: AbortSignal): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        await work()
        if (problem !== undefined) logger.info('history takes rows again')
        problem = undefined
        return
      } catch (error) {
        if (isBadData(error) || signal.aborted) throw error
        counters.insertFailures += 1
        const reason = error instanceof Error ? error.message.slice(0, 500) : String(error)
        if (problem === undefined)
          logger.error({ reason }, 'history does not take rows; trying until it does')
        problem = reason
        await pause(Math.min(250 * 2 ** attempt, maxPauseMillis), undefined, { signal }).catch(() => {})
      }
    }
  }

  /** One row that the store refuses must not hold up the others: halve until it is alone. */
  async function storeMessages(
    packed: PackedMessages,
    rows: readonly number[],
    letters: DeadLetter[],
    signal: AbortSignal,
  ): Promise<void> {
    if (rows.length === 0) return
    try {
      await persist(async () => {
        const outcome = await insertMessages(store, packed, rows, { memory })
        counters.stored += outcome.stored
        counters.duplicates += outcome.duplicates
      }, signal)
    } catch (error) {
      if (!isBadData(error)) throw error
      const [only] = rows
      if (rows.length > 1 || only === undefined) {
        const half = rows.length >> 1
        await storeMessages(packed, rows.slice(0, half), letters, signal)
        await storeMessages(packed, rows.slice(half), letters, signal)
        return
      }
      letters.push({
        key: 'history',
        id: packed.idOf(only),
        bytes: Buffer.from(packed.payloadOf(only).subarray(0, 4096)),
        problem: `the store refuses it: ${error instanceof Error ? error.message.slice(0, 400) : ''}`,
      })
    }
  }

  /** The rows are there; who is not told sees them at the next look. */
  async function tellLegChanges(batch: EntryBatch): Promise<void> {
    try {
      legChanges.emit(await findChangedCallIds(store, batch.events))
    } catch (error) {
      logger.debug({ reason: error instanceof Error ? error.message : '' }, 'changed legs could not be told')
    }
  }

  return {
    get problem() {
      return problem
    },
    async write(batch, signal) {
      const letters = [...batch.deadLetters]
      await storeMessages(batch.messages, batch.messages.rows, letters, signal)
      onStored(batch.messages.calls)
      if (batch.events.length > 0) {
        await persist(() => insertCallEvents(store, batch.events), signal)
        await tellLegChanges(batch)
      }
      const pipeline = redis.pipeline()
      for (const { key, id, bytes, problem } of letters)
        pipeline.xadd(
          deadLetterKey,
          'MAXLEN',
          '~',
          maxDeadLetters,
          '*',
          'stream',
          key,
          'id',
          id,
          'problem',
          problem,
          'bytes',
          bytes,
        )
      for (const [key, ids] of batch.acknowledge) pipeline.xack(key, historyGroup, ...ids)
      const replies = await pipeline.exec()
      // A dead letter that Redis refuses (memory) is still logged; an acknowledgement that fails is repeated.
      const failed = replies?.slice(letters.length).find(([error]) => error)
      if (failed?.[0]) throw failed[0]
      counters.callEvents += batch.events.length
      counters.deadLettered += letters.length
      counters.skippedNewer += batch.skippedNewer
      counters.lostToTrimming += batch.gone
      if (letters.length > 0)
        logger.warn(
          {
            count: letters.length,
            stream: letters[0]?.key,
            entry: letters[0]?.id,
            problem: letters[0]?.problem,
          },
          'payloads on the bus that cannot be read went to the dead letters',
        )
    },
  }
}
