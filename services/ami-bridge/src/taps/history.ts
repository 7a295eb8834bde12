import { setTimeout as pause } from 'node:timers/promises'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { SourceGap } from '@sip-capture/contract/bus/source-status.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { field } from '../ami/block.ts'
import type { AmiAnswer, AmiConnection } from '../ami/connection.ts'
import { digestOf } from '../record.ts'
import { type CursorStore, type HistoryCursor, noCursor } from './history-cursor.ts'
import { dateEntries, type DatedSpan, type HistoryEntry } from './history-entry.ts'
import { fetchEntry, fetchHistory, type HistoryBatch } from './history-fetch.ts'

export interface HistoryMessage extends HistoryEntry, DatedSpan {
  readonly id: string
}

export interface HistoryTap {
  /** Begins to read, or goes on after Asterisk came back. */
  start(): void
  /** Reads to the end, then switches the history off in Asterisk and frees its memory. */
  stop(): Promise<void>
  /** Something may have happened: look now. */
  nudge(): void
  readonly isReading: boolean
  /** Why it does not deliver; undefined when it does. */
  readonly problem: string | undefined
  readonly counters: Readonly<Record<string, number>>
}

export interface HistoryTapOptions {
  readonly ami: Pick<AmiConnection, 'request' | 'command' | 'isUp' | 'counters'>
  readonly node: string
  readonly store: CursorStore
  readonly logger: Logger
  readonly onMessage: (message: HistoryMessage) => void
  readonly onGap: (gap: SourceGap) => void
  /** Resolves when what was handed to `onMessage` is on the bus or given up. */
  readonly flush: () => Promise<void>
  /** True while Asterisk has calls: no moment to clear. */
  readonly isBusy: () => boolean
  readonly limits?: Partial<typeof defaultLimits>
}

const defaultLimits = {
  activeMillis: 60,
  idleMillis: 400,
  /** How long after the last message polling stays fast. */
  activeForMillis: 5_000,
  /** Entries in Asterisk's memory from which a quiet moment is used to clear them, then any pause between two messages;
   *  at twice that they are cleared come what may. */
  clearQuietEntries: 500,
  clearAnywayEntries: 10_000,
  quietMillis: 3_000,
  verifyMillis: 2_000,
}
const maxWindow = 64
const switchOnMillis = 30_000
const flushWaitMillis = 1_000
const maxPending = 8_192
/** Fetched together with the clear: what arrives between the last look and the clear. */
const clearLookahead = 8
const lastRounds = 5
/** Not a fault: it is being switched on. */
export const notStarted = 'not started'

/** Reads Asterisk's PJSIP history: nothing but an AMI login is needed. Exactly once over kills of this process, as long
 *  as Asterisk and Redis keep what they have. */
export function createHistoryTap(options: HistoryTapOptions): HistoryTap {
  const { ami, node, store, logger, onMessage, onGap, flush, isBusy } = options
  const limits = { ...defaultLimits, ...options.limits }
  const counters = {
    history_read: 0,
    history_clears: 0,
    history_resets: 0,
    history_unreadable: 0,
    history_read_again: 0,
    history_cursor_failed: 0,
  }
  let cursor: HistoryCursor = noCursor
  /** The next position to read: ahead of `cursor.next` while something is not on the bus yet. */
  let position = 0
  /** Digest of the last entry read; '' when there is none to compare with. */
  let lastId = ''
  /** Asterisk's clock at the last look that found nothing at `position`. */
  let absentAtMicros = 0
  let lastAtMicros = 0
  let published: ReadonlySet<string> = new Set()
  let isLoaded = false
  let isWanted = false
  let running: Promise<void> | undefined
  let problem: string | undefined = notStarted
  let wake = new AbortController()
  let lastFoundAt = 0
  let verifiedAt = 0
  let switchedOnAt = 0

  function start(): void {
    isWanted = true
    // Never in this very turn: a run that finds AMI gone would end before it is noted as running.
    running ??= Promise.resolve().then(run)
  }

  async function run(): Promise<void> {
    let hasBegun = false
    // Another connection may lead to another Asterisk: everything is looked at anew.
    const session = ami.counters.connects
    problem ??= notStarted
    try {
      while (isWanted && ami.isUp && !hasBegun) {
        hasBegun = await begin()
        if (!hasBegun) await sleep(2_000)
      }
      while (isWanted && ami.isUp && ami.counters.connects === session) {
        await round()
        const isActive = performance.now() - lastFoundAt < limits.activeForMillis
        await sleep(isActive ? limits.activeMillis : limits.idleMillis)
      }
      if (hasBegun && !isWanted && ami.isUp) await finish()
    } catch (error) {
      logger.error({ err: error }, 'reading the history failed')
      await pause(limits.idleMillis)
    } finally {
      running = undefined
    }
    // AMI came back, or it was wanted again, while this run was ending.
    if (isWanted && ami.isUp) start()
  }

  async function sleep(millis: number): Promise<void> {
    wake = new AbortController()
    await pause(millis, undefined, { signal: wake.signal }).catch(() => {})
  }

  /** True when the history is on and the cursor fits it. */
  async function begin(): Promise<boolean> {
    if (!(await switchOn())) return false
    const status = await ami.request('CoreStatus')
    if (!status.ok) return refused(status, 'CoreStatus')
    if (!isLoaded) {
      try {
        cursor = await store.load()
        published = cursor.pending.length > 0 ? await store.recentIds() : new Set()
      } catch {
        problem = 'Redis (REDIS_URL) does not answer, so where reading stopped is not known'
        return false
      }
      isLoaded = true
      position = cursor.next
      lastId = cursor.lastId
      absentAtMicros = cursor.absentAtMicros
    }
    const asteriskStart = `${field(status.block, 'CoreStartupDate')} ${field(status.block, 'CoreStartupTime')}`
    if (cursor.asteriskStart === asteriskStart) await verify()
    else
      await restartNumbering(
        asteriskStart,
        cursor.asteriskStart === '' ? undefined : 'Asterisk was restarted',
      )
    problem = undefined
    return true
  }

  async function switchOn(): Promise<boolean> {
    const answer = await ami.command('pjsip set history on')
    if (!answer.ok) return refused(answer, 'pjsip set history on')
    if (!/enabled/i.test(answer.block.output[0] ?? '')) return refused(undefined, '')
    switchedOnAt = performance.now()
    return true
  }

  function refused(answer: Extract<AmiAnswer, { ok: false }> | undefined, what: string): false {
    if (answer?.reason === 'denied')
      problem = `the AMI user may not run "${what}": give it write=command,reporting in manager.conf`
    else if (!answer || (answer.block?.output.length ?? 0) > 0)
      problem = 'Asterisk does not know "pjsip set history": load its module res_pjsip_history'
    else problem = `"${what}" failed: ${answer.message}`
    return false
  }

  async function round(): Promise<void> {
    if (performance.now() - switchedOnAt > switchOnMillis) {
      if (!(await switchOn())) return
      problem = undefined
    }
    if (performance.now() - verifiedAt > limits.verifyMillis) await verify()
    const found = await readToEnd()
    if (found > 0) lastFoundAt = performance.now()
    if (isClearDue(found)) await clear()
  }

  /** How many entries were new. */
  async function readToEnd(): Promise<number> {
    let found = 0
    for (let window = 1; ami.isUp; window = Math.min(window * 4, maxWindow)) {
      const batch = await fetchHistory(ami, position, window)
      if (!batch) return found
      found += batch.entries.length
      await deliver(batch)
      if (batch.sawEnd || position >= 2 * limits.clearAnywayEntries) return found
    }
    return found
  }

  async function deliver(batch: HistoryBatch): Promise<void> {
    const { entries } = batch
    const seconds = Math.floor(batch.toMicros / 1_000_000)
    const dates = dateEntries(
      entries.map((entry) => entry?.atSeconds ?? seconds),
      absentAtMicros,
      batch.toMicros,
      lastAtMicros,
    )
    if (batch.sawEnd) absentAtMicros = batch.fromMicros
    if (entries.length === 0) return
    const decided = new Map(cursor.pending.map((entry) => [entry.position, entry]))
    const messages: HistoryMessage[] = []
    for (const [i, entry] of entries.entries()) {
      const at = position + i
      const date = decided.get(at) ?? dates[i]
      if (!entry || !date) {
        counters.history_unreadable += 1
        continue
      }
      const { atMicros, precisionMicros } = date
      decided.set(at, { position: at, atMicros, precisionMicros })
      messages.push({ ...entry, id: createRecordId(atMicros, digest(at, entry)), atMicros, precisionMicros })
    }
    // Dates first: whoever reads these entries again after a kill must come to the same records.
    cursor = { ...cursor, pending: [...decided.values()].slice(-maxPending) }
    await save()
    for (const message of messages) {
      counters[published.has(message.id) ? 'history_read_again' : 'history_read'] += 1
      if (!published.has(message.id)) onMessage(message)
    }
    position += entries.length
    lastAtMicros = messages.at(-1)?.atMicros ?? lastAtMicros
    const last = entries.at(-1)
    lastId = last ? digest(position - 1, last) : ''
    await commit()
  }

  async function commit(): Promise<void> {
    const isOnBus = await Promise.race([
      flush().then(() => true),
      pause(flushWaitMillis, false, { ref: false }),
    ])
    if (!isOnBus) return
    // Entries decided by a killed bridge and not read again yet keep their dates.
    const pending = cursor.pending.filter((entry) => entry.position >= position)
    cursor = { ...cursor, next: position, lastId, absentAtMicros, pending }
    if (pending.length === 0) published = new Set()
    await save()
  }

  async function save(): Promise<void> {
    try {
      await store.save(cursor)
    } catch {
      counters.history_cursor_failed += 1
    }
  }

  const digest = (at: number, entry: HistoryEntry) =>
    digestOf(['ami-history', node, cursor.asteriskStart, cursor.generation, at], entry.bytes)

  /** The last entry read must still be there, or somebody else cleared the history. */
  async function verify(): Promise<void> {
    verifiedAt = performance.now()
    if (position === 0 || lastId === '') return
    const entry = await fetchEntry(ami, position - 1)
    if (entry === undefined || (entry !== 'absent' && digest(position - 1, entry) === lastId)) return
    await restartNumbering(cursor.asteriskStart, 'the PJSIP history was cleared by somebody else')
  }

  async function restartNumbering(asteriskStart: string, reason: string | undefined): Promise<void> {
    const sinceMicros = absentAtMicros
    await reset(asteriskStart)
    if (reason === undefined) return
    counters.history_resets += 1
    logger.warn({ reason }, 'the PJSIP history begins anew; messages may be missing')
    onGap({ fromMicros: sinceMicros, toMicros: Math.max(sinceMicros, nowMicros()), reason })
  }

  async function reset(asteriskStart: string): Promise<void> {
    cursor = { ...noCursor, asteriskStart, generation: cursor.generation + 1, absentAtMicros }
    position = 0
    lastId = ''
    published = new Set()
    await save()
  }

  function isClearDue(found: number): boolean {
    if (position >= 2 * limits.clearAnywayEntries) return true
    if (found > 0 || cursor.pending.length > 0) return false
    if (position >= limits.clearAnywayEntries) return true
    const isQuiet = performance.now() - lastFoundAt > limits.quietMillis && !isBusy()
    return position >= limits.clearQuietEntries && isQuiet
  }

  /** Looks a last time and clears in one go. What could slip between the two is told as a gap. */
  async function clear(): Promise<void> {
    const isForced = position >= limits.clearAnywayEntries
    const batch = await fetchHistory(ami, position, clearLookahead, true)
    if (!batch) return
    await deliver(batch)
    counters.history_clears += 1
    if (isWanted && (isForced || batch.entries.length > 0))
      onGap({
        fromMicros: batch.fromMicros,
        toMicros: batch.toMicros,
        reason: "Asterisk's PJSIP history was cleared under traffic: a message in between may be lost",
      })
    await reset(cursor.asteriskStart)
  }

  async function finish(): Promise<void> {
    for (let i = 0; i < lastRounds && (await readToEnd()) > 0; i++);
    await ami.command('pjsip set history off')
    await readToEnd()
    await clear()
    problem = 'switched off'
  }

  return {
    start,
    async stop() {
      isWanted = false
      wake.abort()
      await running
    },
    nudge: () => wake.abort(),
    get isReading() {
      return isWanted && running !== undefined && problem === undefined
    },
    get problem() {
      return problem
    },
    counters,
  }
}
