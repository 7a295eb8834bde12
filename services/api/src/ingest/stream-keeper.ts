import { historyGroup } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import { compareIds, inspectStream, type StreamInspection } from '../stream-entries.ts'

/** Entries kept behind what history has, for browsers that resume. */
const keptEntries = 50_000
/** Below this trimming is not worth a look. */
const minTrimEntries = 1_000
const keptBytes = 256 * 1024 * 1024

export interface StreamKeeper {
  /** Makes the stream and the group where missing. From the beginning: what is stored already is recognised by its id. */
  ensureGroup(): Promise<void>
  /** Looks for losses and how much is waiting; trims what history has. */
  inspect(): Promise<void>
  readonly backlog: number
  /** Entries that were cut before history read them, since the group was made. */
  readonly lost: number
}

export function createStreamKeeper(options: {
  redis: Redis
  key: string
  logger: Logger
  onTrimmed: (entries: number) => void
}): StreamKeeper {
  const { redis, key, logger, onTrimmed } = options
  let backlog = 0
  let lost = 0
  /** Entries that were given out and that `entries-read` does not know of: Redis forgets them when it is started again. */
  let uncounted = 0
  /** Up to here all that was cut is accounted for; undefined before the first look at a group that was there already. */
  let accountedId: string | undefined

  return {
    get backlog() {
      return backlog
    },
    get lost() {
      return lost
    },
    async ensureGroup() {
      try {
        // ENTRIESREAD 0 lets Redis and us count what the group was given.
        await redis.call('XGROUP', 'CREATE', key, historyGroup, '0', 'MKSTREAM', 'ENTRIESREAD', 0)
        logger.info({ key }, 'made the consumer group of history')
        lost = 0
        uncounted = 0
        accountedId = '0-0'
      } catch (error) {
        if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error
      }
    },
    async inspect() {
      const state = await inspectStream(redis, key, historyGroup)
      if (!state) {
        await this.ensureGroup()
        return
      }
      const { stream, group } = state
      if (group.entriesRead === null) backlog = group.pending
      else {
        account(state, group.entriesRead)
        backlog = Math.max(0, stream.entriesAdded - group.entriesRead - uncounted - lost) + group.pending
      }
      await trim(stream.length, group.pending)
    },
  }

  /** `entries-read` counts entries given out; what the stream went through beyond that was cut unread. The group's own
   *  `lag` does not show it. As long as nothing behind what was accounted for is cut, a difference is a wrong count. */
  function account({ stream, group }: StreamInspection, read: number): void {
    const isCaughtUp = compareIds(group.lastDeliveredId, stream.lastId) >= 0
    const removed = stream.entriesAdded - stream.length
    const surplus = (isCaughtUp ? stream.entriesAdded : removed) - read - uncounted - lost
    if (isWholeBehind(stream, accountedId ?? group.lastDeliveredId))
      uncounted += isCaughtUp ? surplus : Math.max(0, surplus)
    else if (surplus > 0) {
      lost += surplus
      logger.error(
        { key, entries: surplus, after: group.lastDeliveredId, before: stream.firstId },
        'entries of the stream were cut before history read them: its memory bound was reached',
      )
    }
    accountedId = group.lastDeliveredId
  }

  async function trim(length: number, pending: number): Promise<void> {
    if (length < minTrimEntries) return
    // What is pending may be older than what is waiting: nothing is cut until it is acknowledged or claimed.
    if (pending > 0) return
    const bytes = Number(await redis.call('MEMORY', 'USAGE', key))
    const perEntry = Math.max(1, bytes / length)
    const keep = Math.max(backlog, Math.min(keptEntries, Math.floor(keptBytes / perEntry)))
    if (length <= keep * 1.05) return
    onTrimmed(await redis.xtrim(key, 'MAXLEN', '~', keep))
  }
}

/** Nothing that came after the entry `id` was cut. */
function isWholeBehind({ length, firstId, lastId }: StreamInspection['stream'], id: string): boolean {
  return compareIds(id, length === 0 ? lastId : firstId) >= 0
}
