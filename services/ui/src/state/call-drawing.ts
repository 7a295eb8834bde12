import { computed, effect, signal } from '@preact/signals'
import { type Arrow, buildLadder, type Ladder, ladderSteps, type Watch } from '@sip-capture/sip/ladder.ts'
import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { toMicros } from '../format/time.ts'
import { watchOf } from './capture-watch.ts'
import { readImport } from './job-client.ts'
import { toObserved } from './observed.ts'
import type { OpenCallModel, OpenTarget } from './open-call.ts'
import type { WholeCall } from './read-call.ts'
import { painted, runInSlices } from './slices.ts'
import type { SourcesModel } from './sources.ts'

/** What is on the screen of a call: all of it is of the same messages. */
export interface DrawnCall {
  /** Null while messages are missing: then nothing is judged. */
  readonly call: WholeCall | null
  readonly legs: WholeCall['legs']
  readonly rows: WholeCall['messages']
  readonly ladder: Ladder
  /** Rows that are not SIP. */
  readonly unparsed: number
}

interface Wanted {
  readonly target: OpenTarget | null
  readonly call: WholeCall | null
  readonly legs: WholeCall['legs']
  readonly rows: WholeCall['messages']
  readonly watch: Watch
}

const nothing: DrawnCall = { call: null, legs: [], rows: [], ladder: buildLadder([]), unparsed: 0 }
const rowsPerStep = 100
/** Fills any window. */
const headRows = 200
const headMillis = 100
/** While messages come in, the ladder is drawn anew no more often. */
const redrawMillis = 500

/** What is not here yet is not missing. */
function withoutMissing(ladder: Ladder): Ladder {
  const arrows: Arrow[] = []
  for (const arrow of ladder.arrows)
    if (arrow.ghost === null) arrows.push(arrow.note === '' ? arrow : { ...arrow, note: '' })
  return { ...ladder, arrows }
}

/** What is drawn of the open call. Apart from `OpenCallModel`, so that the SIP parser is loaded with the first call only. */
export class CallDrawing {
  readonly drawn = signal<DrawnCall>(nothing)
  readonly #open: OpenCallModel
  readonly #sources: SourcesModel
  readonly #importEndMicros = signal(0)
  readonly #stopWatching: () => void
  #parsed: ReadonlyMap<string, ObservedMessage> = new Map()
  #wanted: Wanted | null = null
  #isClosed = false
  /** What is being drawn. */
  #running: { readonly wanted: Wanted; readonly abort: AbortController } | null = null
  /** What was drawn last. */
  #last: { readonly target: OpenTarget | null; readonly rows: number; readonly atMillis: number } = {
    target: null,
    rows: 0,
    atMillis: 0,
  }

  constructor(open: OpenCallModel, sources: SourcesModel) {
    this.#open = open
    this.#sources = sources
    this.#stopWatching = effect(() => {
      const { legs = [], messages = [] } = open.call.value ?? open.part.value ?? {}
      const watch = JSON.parse(this.#watch.value) as Watch
      this.#draw({ target: open.target.value, call: open.call.value, legs, rows: messages, watch })
    })
  }

  close(): void {
    this.#isClosed = true
    this.#stopWatching()
    this.#running?.abort.abort()
  }

  /** An imported file saw what it holds, and nothing after its last message. */
  async learnImportEnd(id: string): Promise<void> {
    const answer = await readImport(id)
    if (answer.ok && answer.value.lastAt !== null) this.#importEndMicros.value = toMicros(answer.value.lastAt)
  }

  /** As text, so that a heartbeat that changes nothing draws nothing anew. */
  readonly #watch = computed(() => JSON.stringify(this.#watched()))

  #watched(): Watch {
    const { call, target } = this.#open
    return target.value?.kind === 'call' && target.value.capture !== null
      ? { seenUntilMicros: this.#importEndMicros.value, blind: [] }
      : watchOf(call.value?.messages ?? [], this.#sources.items.value)
  }

  /** The last that is wanted is drawn in the end. What is being drawn of the same call is not given up for it, else a call
   *  that changes faster than it is drawn would never be seen. */
  #draw(wanted: Wanted): void {
    this.#wanted = wanted
    if (this.#running?.wanted.target === wanted.target) return
    this.#running?.abort.abort()
    this.#running = null
    const isBegun = this.#last.rows > 0 && this.#last.target === wanted.target
    if (isBegun && wanted.call === null && performance.now() - this.#last.atMillis < redrawMillis) return
    this.#start(wanted, isBegun)
  }

  #start(wanted: Wanted, isBegun: boolean): void {
    const { target, rows } = wanted
    const abort = new AbortController()
    this.#running = { wanted, abort }
    // Of a long call first what fills the window. It is drawn at once: nobody is kept waiting by it, for nothing else is
    // there yet.
    const isHead = !isBegun && rows.length > 2 * headRows
    const begin = isHead ? { ...wanted, call: null, rows: rows.slice(0, headRows) } : wanted
    const firstMillis = isBegun ? 0 : headMillis
    runInSlices(this.#steps(begin), { signal: abort.signal, firstMillis }, (drawn) => {
      this.#running = null
      this.#last = { target, rows: begin.rows.length, atMillis: performance.now() }
      this.drawn.value = drawn
      if (isHead || this.#wanted !== wanted) void this.#goOn()
    })
  }

  async #goOn(): Promise<void> {
    await painted()
    if (!this.#isClosed && this.#running === null && this.#wanted !== null) this.#draw(this.#wanted)
  }

  *#steps({ call, legs, rows, watch }: Wanted): Generator<undefined, DrawnCall> {
    // A message that an earlier fetch brought is not parsed again.
    const parsed = new Map<string, ObservedMessage>()
    for (const [index, row] of rows.entries()) {
      if (index % rowsPerStep === 0) yield
      const message = this.#parsed.get(row.id) ?? toObserved(row)
      if (message !== null) parsed.set(row.id, message)
    }
    this.#parsed = parsed
    const ladder = yield* ladderSteps([...parsed.values()], watch)
    const unparsed = rows.length - parsed.size
    return { call, legs, rows, ladder: call === null ? withoutMissing(ladder) : ladder, unparsed }
  }
}
