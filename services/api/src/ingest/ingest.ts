import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { DirectoryFeed } from '../directory-feed.ts'
import type { LegChanges } from '../history/legs/leg-changes.ts'
import type { PackedCall } from '../history/packed-messages.ts'
import type { Store } from '../history/store.ts'
import type { MessageBus } from '../message-buses.ts'
import { startBusReader } from './bus-reader.ts'
import { newIngestCounters, type IngestCounters } from './ingest-counters.ts'

export interface Ingest {
  readonly counters: Readonly<IngestCounters>
  /** Entries on the buses that history has not acknowledged. */
  readonly backlog: number
  /** Why the store takes nothing at the moment. */
  readonly storeProblem: string | undefined
  /** Finishes what is in hand. */
  close(): Promise<void>
}

/** Moves the buses into history, each by a reader of its own, so that one that is away holds up no other. */
export function startIngest(options: {
  store: Store
  /** The first has the legs of calls as well. */
  buses: readonly MessageBus[]
  keys: BusKeys
  consumer: string
  directory: DirectoryFeed
  legChanges: LegChanges
  /** Calls of which more is in history now. */
  onStored: (calls: readonly PackedCall[]) => void
  logger: Logger
}): Ingest {
  const { buses, ...rest } = options
  const counters = newIngestCounters()
  const readers = buses.map((bus, index) =>
    startBusReader({
      ...rest,
      bus: index === 0 ? { ...bus, streams: [...bus.streams, rest.keys.calls] } : bus,
      counters,
    }),
  )
  const sum = (of: 'backlog' | 'lost') => readers.reduce((total, reader) => total + reader[of], 0)

  return {
    get counters() {
      return { ...counters, lostToTrimming: counters.lostToTrimming + sum('lost') }
    },
    get backlog() {
      return sum('backlog')
    },
    get storeProblem() {
      return readers.find(({ storeProblem }) => storeProblem !== undefined)?.storeProblem
    },
    async close() {
      await Promise.all(readers.map((reader) => reader.close()))
    },
  }
}
