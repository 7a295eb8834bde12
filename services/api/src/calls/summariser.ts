import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { isBadData, StoreError, type Store } from '../history/store.ts'
import type { PackedCall } from '../history/packed-messages.ts'
import { MessageView } from '../ingest/message-row.ts'
import { readCalls, type CallHistory } from './call-batch.ts'
import { toCallKey, type CallNews } from './call-record.ts'
import {
  findDueCalls,
  findRowsOf,
  findUnsummarised,
  insertCalls,
  lastSummarySeconds,
  readStoreClock,
} from './call-store.ts'
import type { CallWatcher } from '../watches/call-watcher.ts'
import type { Tombstone } from './call-columns.ts'
import { DirtyCalls, type DirtyCall } from './dirty-calls.ts'
import { summariseCall, type CallSummary } from './summarise-call.ts'

export interface SummariserCounters {
  /** Rows written. */
  callsSummarised: number
  /** Rows taken out because their call joined another. */
  callsMerged: number
  /** Marks that did not fit; history is searched for them. */
  callMarksOverflowed: number
  callSummaryFailures: number
}

export interface Summariser {
  /** Calls of which history has more now. */
  markStoredCalls(calls: readonly PackedCall[]): void
  /** Calls of live traffic whose legs have changed. */
  markCalls(callIds: readonly string[]): void
  /** A file was read in: its calls are looked for in history. */
  markStored(): void
  readonly counters: Readonly<SummariserCounters>
  /** Calls that wait. */
  readonly waiting: number
  close(): Promise<void>
}

/** Each of the statements for a batch costs what it costs, however few calls they are for. */
const batchCalls = 1_000
const maxDirty = 50_000
/** How long a call may still get messages before it is looked at. Grows to four times the time that a round takes. */
const minDelayMillis = 300
const maxDelayMillis = 20_000
const idleMillis = 50
const sweepMillis = 30_000
/** How far a sweep looks back: what another process, or this one before it ended, left undone. */
const sweepBackSeconds = 300
const restartBackSeconds = 3_600
const maxDuePerSweep = 5_000
const maxTimers = 20_000

/**
 * Keeps the call log. Calls that got messages or other legs are read back from history, judged and written as one row each.
 * Nothing of it is only in memory: what a process leaves undone (crash, overflow) the next sweep of any process finds, and
 * a call that is summarised twice is one row.
 */
export function startSummariser(options: {
  store: Store
  isTrunk: (name: string, node: string) => boolean
  /** Sees calls before their rows are written, so that none is written that was not looked at. */
  watcher?: CallWatcher
  /** Rows of these calls are written. @throws StoreError */
  onWritten?: (callIds: readonly string[], capture: string) => Promise<void>
  /** Never throws. */
  onNews: (news: CallNews) => void
  /** Imports that are being read: their calls wait until all of each is there. */
  capturesBeingRead?: () => ReadonlySet<string>
  logger: Logger
}): Summariser {
  const { store, isTrunk, watcher, onWritten, onNews, logger } = options
  const { capturesBeingRead = () => new Set<string>() } = options
  const dirty = new DirtyCalls(maxDirty)
  /** When a call must be looked at again, epoch milliseconds. A sweep finds those that do not fit. */
  const timers = new Map<string, DirtyCall & { dueMillis: number }>()
  const counters = { callsSummarised: 0, callsMerged: 0, callSummaryFailures: 0 }
  const stopping = new AbortController()
  let delayMillis = minDelayMillis
  let sweptMillis = -Infinity
  let lastVersion = 0
  let sweepFromSeconds: number | undefined
  /** From when on something was left for later. */
  let leftFromSeconds: number | undefined
  let hasProblem = false

  const mark = (call: DirtyCall) => dirty.mark(call, performance.now())

  /** Rises even where the clock is set back: a later reading must win. */
  async function nextVersion(): Promise<number> {
    lastVersion = Math.max(lastVersion + 1, await readStoreClock(store))
    return lastVersion
  }

  async function summarise(calls: readonly DirtyCall[]): Promise<void> {
    const capture = calls[0]?.capture ?? ''
    const version = await nextVersion()
    const histories = await readCalls(store, { callIds: calls.map(({ callId }) => callId), capture })
    if (!histories) return await summariseHalves(calls)
    const summaries: CallSummary[] = []
    const others: CallHistory[] = []
    for (const history of histories) {
      const { call, messages, ends } = history
      // Read one call at a time: what is worked out of messages takes many times their bytes.
      const views = messages.map(({ record, naming }) => new MessageView(record, naming))
      const summary = summariseCall({ call, views, ends, capture, isTrunk }, { nowMicros: nowMicros() })
      if (summary) summaries.push(summary)
      else others.push(history)
      // The same loop takes messages in.
      await breathe()
    }
    const lookAgain = await watcher?.judge(summaries, nowMicros())
    for (const [n, summary] of summaries.entries())
      summaries[n] = { ...summary, lookAgainAtMicros: sooner(summary, lookAgain?.get(summary.row.id)) }
    const stale = await findStale(histories, summaries, capture)
    const lookedAt = others.flatMap((history) => toLookedAt(history, capture))
    await insertCalls(store, { summaries, tombstones: [...stale, ...lookedAt], version })
    await onWritten?.(
      summaries.flatMap(({ row }) => row.callIds),
      capture,
    )
    counters.callsSummarised += summaries.length
    counters.callsMerged += stale.length
    for (const { id } of stale) timers.delete(id)
    for (const summary of summaries) remember(summary, capture)
    const kept = new Set(summaries.map(({ row }) => row.id))
    const removed = [...new Set(stale.map(({ id }) => id))].filter((id) => !kept.has(id))
    onNews({ records: summaries.map(({ row, numbers }) => ({ row, numbers })), removed })
  }

  /** One call that cannot be read or written must not hold up the others: halve until it is alone. */
  async function summariseSome(calls: readonly DirtyCall[]): Promise<void> {
    try {
      await summarise(calls)
    } catch (error) {
      if (error instanceof StoreError && !isBadData(error)) {
        for (const call of calls) mark(call)
        throw error
      }
      if (calls.length > 1) return await summariseHalves(calls)
      counters.callSummaryFailures += 1
      const reason = error instanceof Error ? error.message.slice(0, 500) : String(error)
      logger.error({ reason, callId: calls[0]?.callId.slice(0, 200) }, 'a call cannot be summarised')
    }
  }

  async function summariseHalves(calls: readonly DirtyCall[]): Promise<void> {
    await summariseSome(calls.slice(0, calls.length >> 1))
    await summariseSome(calls.slice(calls.length >> 1))
  }

  /** Rows of these calls under another key: the call began earlier than was known, or joined another. */
  async function findStale(
    histories: readonly CallHistory[],
    summaries: readonly CallSummary[],
    capture: string,
  ): Promise<Tombstone[]> {
    const times = histories.flatMap(({ messages }) => messages.map(({ record }) => record.atMicros))
    if (times.length === 0) return []
    const rows = await findRowsOf(store, {
      callIds: histories.flatMap(({ call }) => call.callIds),
      capture,
      fromMicros: times.reduce((a, b) => Math.min(a, b)),
      toMicros: times.reduce((a, b) => Math.max(a, b)),
    })
    const current = new Set(summaries.map(({ row, startedAtMicros }) => `${startedAtMicros} ${row.id}`))
    return rows.filter(({ startedAtMicros, id }) => !current.has(`${startedAtMicros} ${id}`))
  }

  function remember({ row, lookAgainAtMicros }: CallSummary, capture: string): void {
    const [callId] = row.callIds
    if (lookAgainAtMicros === null || callId === undefined) timers.delete(row.id)
    else if (timers.has(row.id) || timers.size < maxTimers)
      timers.set(row.id, { capture, callId, dueMillis: Math.ceil(lookAgainAtMicros / 1000) })
  }

  function markDue(nowMillis: number): void {
    for (const [id, timer] of timers) {
      if (timer.dueMillis > nowMillis) continue
      timers.delete(id)
      mark(timer)
    }
  }

  async function sweep(): Promise<void> {
    const clock = Math.floor((await readStoreClock(store)) / 1_000_000)
    const room = maxDirty - dirty.size
    if (room <= 0) return
    const since = Math.min(sweepFromSeconds ?? clock - sweepBackSeconds, leftFromSeconds ?? Infinity)
    const overflow = dirty.overflowMillis
    const back =
      overflow === undefined ? 0 : Math.ceil((performance.now() - overflow) / 1000) + sweepBackSeconds
    const left = await findUnsummarised(store, {
      sinceSeconds: Math.max(0, Math.min(since, clock - back)),
      // Right after the start nothing is known of the last second before it.
      graceSeconds: sweepFromSeconds === undefined ? 0 : 1,
      limit: room,
    })
    dirty.overflowMillis = undefined
    const beingRead = capturesBeingRead()
    const isLeft = left.length >= room || left.some(({ capture }) => beingRead.has(capture))
    leftFromSeconds = isLeft ? since : undefined
    for (const call of left) if (!beingRead.has(call.capture)) mark(call)
    // All of it fitted: from now on the newest are enough.
    if (left.length < room) sweepFromSeconds = undefined
    for (const call of await findDueCalls(store, { nowMicros: nowMicros(), limit: maxDuePerSweep }))
      mark(call)
  }

  async function step(): Promise<boolean> {
    const startedMillis = performance.now()
    markDue(Date.now())
    if (startedMillis - sweptMillis >= sweepMillis || (dirty.size === 0 && sweepFromSeconds !== undefined)) {
      sweptMillis = startedMillis
      await sweep()
    }
    let isBusy = false
    for (;;) {
      const calls = dirty.take(batchCalls, startedMillis - delayMillis)
      if (calls.length === 0 || stopping.signal.aborted) break
      isBusy = true
      await summariseSome(calls)
    }
    if (isBusy)
      delayMillis = Math.min(
        Math.max((performance.now() - startedMillis) * 4, minDelayMillis),
        maxDelayMillis,
      )
    return isBusy
  }

  async function run(): Promise<void> {
    let isPlaced = false
    for (let failures = 0; !stopping.signal.aborted;) {
      try {
        if (!isPlaced) {
          const last = await lastSummarySeconds(store)
          sweepFromSeconds = Math.max(0, last - restartBackSeconds)
          isPlaced = true
        }
        await step()
        failures = 0
        if (hasProblem) logger.info('the call log is kept again')
        hasProblem = false
      } catch (error) {
        counters.callSummaryFailures += 1
        failures += 1
        const reason = error instanceof Error ? error.message.slice(0, 500) : String(error)
        if (!hasProblem && !stopping.signal.aborted)
          logger.error({ reason }, 'the call log cannot be kept; trying until it can')
        hasProblem = true
      }
      const millis = failures === 0 ? idleMillis : Math.min(250 * 2 ** failures, 5_000)
      await pause(millis, undefined, { signal: stopping.signal }).catch(() => {})
    }
  }
  const running = run()

  return {
    markStoredCalls(calls) {
      for (const { isOfCall, callId, capture } of calls)
        if (callId !== '' && isOfCall) mark({ capture, callId })
    },
    markCalls(callIds) {
      for (const callId of callIds) mark({ capture: '', callId })
    },
    markStored: () => (sweptMillis = -Infinity),
    get counters() {
      return { ...counters, callMarksOverflowed: dirty.overflowed }
    },
    get waiting() {
      return dirty.size
    },
    async close() {
      stopping.abort()
      await running
    },
  }
}

function sooner({ lookAgainAtMicros }: CallSummary, atMicros: number | undefined): number | null {
  if (atMicros === undefined || lookAgainAtMicros === null) return atMicros ?? lookAgainAtMicros
  return Math.min(atMicros, lookAgainAtMicros)
}

/** No call, but seen: the next sweep need not read it again. */
function toLookedAt({ call, messages }: CallHistory, capture: string): Tombstone[] {
  const [first] = messages
  const [callId] = call.callIds
  if (!first || callId === undefined) return []
  return [
    {
      startedAtMicros: first.record.atMicros,
      id: toCallKey(capture, callId),
      capture,
      callIds: call.callIds,
    },
  ]
}
