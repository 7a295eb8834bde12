import { nowMicros } from '@sip-capture/contract/time.ts'
import { callIdLine, describeCall, describeVerdict, maxJudgedMessages } from '../../call-comment.ts'
import type { MessageShown } from '../../capture-packets.ts'
import { MessageView } from '../../ingest/message-row.ts'
import { ofCalls, readCallMessages } from '../message-reader.ts'
import { groupByCallId } from '../record-rows.ts'
import type { Store } from '../store.ts'
import { micros } from '../time-sql.ts'
import type { FilePacket } from './sighting-window.ts'

/** Calls remembered, so that only their first packet gets a comment; one that comes back later gets it again. */
const maxKnownCalls = 200_000
const maxKnownCaptures = 8
/** Messages of calls held at once to judge them. */
const maxHeldMessages = 5_000
const maxCallsAsked = 500
/** How long before its first packet in the file a call may have begun to be looked up in the call log: nearly all begin with
 *  it, and only for the rest is the log read further back. */
const lookBackMicros = [5_000_000, 300_000_000]

interface LoggedCall {
  readonly callId: string
  readonly state: string
  readonly title: string
  readonly sentence: string
}

interface Batch {
  readonly calls: readonly FilePacket[]
  readonly messages: number
}

/**
 * The comments of the calls of one file: what the call log says of each, or where it says nothing (yet), and where the
 * file is masked, judged by all that history has of its Call-ID, since the file may hold only a part of the call.
 */
export class CallComments {
  readonly #store: Store
  readonly #shown: MessageShown
  readonly #isMasked: boolean
  /** Call-IDs by their capture. */
  readonly #known = new Map<string, Set<string>>()

  constructor(store: Store, shown: MessageShown, options: { isMasked: boolean }) {
    this.#store = store
    this.#shown = shown
    this.#isMasked = options.isMasked
  }

  /**
   * For those of the packets, in the order of the file, that are the first of their call. Without `mayJudge` a call that
   * the log does not know has its Call-ID alone; where that would have to be masked, nothing. @throws StoreError
   */
  async describe(
    packets: readonly FilePacket[],
    { mayJudge }: { mayJudge: boolean },
  ): Promise<ReadonlyMap<FilePacket, string>> {
    const comments = new Map<FilePacket, string>()
    if (this.#isMasked && !mayJudge) return comments
    const firsts = packets.filter((packet) => this.#isFirst(packet))
    for (const capture of new Set(firsts.map(({ message }) => message.capture))) {
      const calls = firsts.filter(({ message }) => message.capture === capture)
      if (!this.#isMasked) await this.#lookUp(capture, calls, comments)
      const unknown = calls.filter((call) => !comments.has(call))
      if (!mayJudge) for (const call of unknown) comments.set(call, callIdLine(call.message.callId))
      else
        for (let at = 0; at < unknown.length; at += maxCallsAsked)
          for (const batch of await this.#toBatches(capture, unknown.slice(at, at + maxCallsAsked)))
            await this.#describe(capture, batch, comments)
    }
    return comments
  }

  async #lookUp(
    capture: string,
    calls: readonly FilePacket[],
    comments: Map<FilePacket, string>,
  ): Promise<void> {
    for (const lookBack of lookBackMicros) {
      const wanted = calls.filter((call) => !comments.has(call))
      if (wanted.length === 0) return
      const logged = await this.#readLog(capture, wanted, lookBack)
      for (const call of wanted) {
        const { callId } = call.message
        const row = logged.get(callId)
        if (row)
          comments.set(
            call,
            [callIdLine(callId), ...describeVerdict(row.state, row.title === '' ? undefined : row)].join(
              '\n',
            ),
          )
      }
    }
  }

  /** By Call-ID. */
  async #readLog(
    capture: string,
    calls: readonly FilePacket[],
    lookBack: number,
  ): Promise<ReadonlyMap<string, LoggedCall>> {
    const times = calls.map(({ packet }) => packet.atMicros)
    const rows = await this.#store.query<LoggedCall>(
      `SELECT callId, state, title, sentence FROM (
         SELECT arrayJoin(callIds) AS callId, state, title, sentence FROM calls FINAL
         WHERE startedAt >= ${micros('since')} AND startedAt <= ${micros('until')}
           AND capture = {capture:String} AND isDeleted = 0)
       WHERE callId IN {callIds:Array(String)}`,
      {
        since: times.reduce((least, at) => Math.min(least, at), Infinity) - lookBack,
        until: times.reduce((most, at) => Math.max(most, at), 0),
        capture,
        callIds: calls.map(({ message }) => message.callId),
      },
    )
    return new Map(rows.map((row) => [row.callId, row]))
  }

  #isFirst({ message: { callId, capture } }: FilePacket): boolean {
    if (callId === '') return false
    let known = this.#known.get(capture)
    if (known === undefined) {
      if (this.#known.size >= maxKnownCaptures) this.#known.clear()
      known = new Set()
      this.#known.set(capture, known)
    }
    if (known.has(callId)) return false
    known.add(callId)
    if (known.size > maxKnownCalls) {
      const [oldest] = known
      if (oldest !== undefined) known.delete(oldest)
    }
    return true
  }

  /** Calls whose messages are read together; one that is too large to be judged is alone. */
  async #toBatches(capture: string, calls: readonly FilePacket[]): Promise<Batch[]> {
    const sizes = await this.#countMessages(capture, calls)
    const batches: Batch[] = []
    let open: Batch = { calls: [], messages: 0 }
    for (const call of calls) {
      const messages = sizes.get(call.message.callId) ?? 0
      if (messages > maxJudgedMessages) {
        batches.push({ calls: [call], messages })
        continue
      }
      if (open.messages + messages > maxHeldMessages) {
        batches.push(open)
        open = { calls: [], messages: 0 }
      }
      open = { calls: [...open.calls, call], messages: open.messages + messages }
    }
    return [...batches, open]
  }

  /** Up to one more than can be judged. */
  async #countMessages(capture: string, calls: readonly FilePacket[]): Promise<ReadonlyMap<string, number>> {
    const rows = await this.#store.query<{ callId: string; messages: number }>(
      `SELECT callId, least(count(), {most:UInt32}) AS messages FROM messages
       WHERE ${ofCalls} GROUP BY callId`,
      { callIds: calls.map(({ message }) => message.callId), capture, most: maxJudgedMessages + 1 },
    )
    return new Map(rows.map(({ callId, messages }) => [callId, messages]))
  }

  async #describe(capture: string, batch: Batch, comments: Map<FilePacket, string>): Promise<void> {
    if (batch.messages === 0) return
    const stored = await readCallMessages(this.#store, {
      callIds: batch.calls.map(({ message }) => message.callId),
      capture,
      limit: batch.messages,
      withFrames: false,
    })
    const byCall = groupByCallId(stored)
    for (const call of batch.calls) {
      const views = (byCall.get(call.message.callId) ?? []).map(({ record, naming }) =>
        this.#shown.toView(new MessageView(record, naming)),
      )
      comments.set(call, describeCall(views, nowMicros()))
    }
  }
}
