import { batch, signal } from '@preact/signals'
import { type MessageDetail, messageDetail } from '@sip-capture/contract/rest/message.ts'
import { type ApiProblem, getJson } from './api-client.ts'
import { type CallPart, readCall, type WholeCall } from './read-call.ts'
import { painted } from './slices.ts'

/** What the detail pane shows. */
export type OpenTarget =
  | {
      readonly kind: 'call'
      readonly callId: string
      /** Id of the import it is in. */ readonly capture: string | null
    }
  /** A message that belongs to no call: not SIP, or without a Call-ID. */
  | { readonly kind: 'message'; readonly id: string }

/** `expected`: the row was on the screen, so the history will have its call in a moment. */
const retryMillis = 700
const maxRetries = 8
const refetchMillis = 1000

/** The open call, kept fresh while it goes on. A call that is not there is said to be missing, never replaced by another. */
export class OpenCallModel {
  readonly target = signal<OpenTarget | null>(null)
  readonly call = signal<WholeCall | null>(null)
  /** Of a long call what is here before `call` is: nothing in it is judged. */
  readonly part = signal<CallPart | null>(null)
  readonly message = signal<MessageDetail | null>(null)
  readonly problem = signal<ApiProblem | null>(null)
  /** Id of the message that is shown beside the ladder: a record, any sighting. */
  readonly selectedId = signal<string | null>(null)

  /** Of what is being read. */
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #retries = 0

  /** Opens a call (or one message). `expected` is true when its row was just seen live. */
  open(target: OpenTarget, options: { expected: boolean; messageId?: string }): void {
    const before = this.target.peek()
    if (before !== null && sameTarget(before, target)) {
      if (options.messageId !== undefined) this.selectedId.value = options.messageId
      return
    }
    this.close()
    this.target.value = target
    this.selectedId.value = options.messageId ?? null
    this.#retries = options.expected ? maxRetries : 0
    void this.#load()
  }

  close(): void {
    this.#abort?.abort()
    this.#abort = undefined
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.target.value = null
    this.call.value = null
    this.part.value = null
    this.message.value = null
    this.problem.value = null
    this.selectedId.value = null
  }

  retry(): void {
    this.problem.value = null
    void this.#load()
  }

  /** From `call:updated`: fetched again at most once a second. */
  onUpdated(callIds: readonly string[]): void {
    const target = this.target.peek()
    // An import does not go on.
    if (target?.kind !== 'call' || target.capture !== null) return
    const ours = new Set([target.callId, ...(this.call.peek()?.legs ?? []).map((leg) => leg.callId)])
    if (!callIds.some((id) => ours.has(id))) return
    this.#refetch()
  }

  /** A long call that goes on may take longer to read than the pause between: what is being read is read to its end. */
  #refetch(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#abort === undefined) void this.#load()
      else this.#refetch()
    }, refetchMillis)
  }

  async #load(): Promise<void> {
    const target = this.target.peek()
    if (target === null) return
    this.#abort?.abort()
    const controller = new AbortController()
    this.#abort = controller
    const answer =
      target.kind === 'call'
        ? await readCall(callPath(target, '/stream'), controller.signal, (part) => this.#take(target, part))
        : await getJson(`/messages/${encodeURIComponent(target.id)}`, messageDetail, controller.signal)
    if (controller !== this.#abort) return
    this.#abort = undefined
    if (!answer.ok && answer.problem.kind === 'missing' && this.#retries > 0) {
      this.#retries -= 1
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        void this.#load()
      }, retryMillis)
      return
    }
    if (!answer.ok) {
      this.part.value = null
      if (answer.problem.kind !== 'aborted') this.problem.value = answer.problem
      return
    }
    if (target.kind === 'call' && 'legs' in answer.value && isOtherId(target, answer.value.legs)) {
      this.problem.value = { kind: 'missing', message: 'This is no Call-ID.' }
      return
    }
    this.problem.value = null
    const { value } = answer
    if ('messages' in value)
      batch(() => {
        this.call.value = value
        this.part.value = null
      })
    else this.message.value = value
  }

  /** What is on the screen already is not replaced by the begin of what it is now. */
  async #take(target: OpenTarget & { kind: 'call' }, part: CallPart): Promise<void> {
    if (target !== this.target.peek() || this.call.peek() !== null || isOtherId(target, part.legs)) return
    const isFirst = this.part.peek() === null
    this.part.value = part
    // What can be seen comes before what is still to come.
    if (isFirst) await painted()
  }
}

/** `/calls/{id}` or, with `what`, a path below it. A Call-ID can hold any byte. */
export function callPath(
  call: { readonly callId: string; readonly capture: string | null },
  what = '',
  query: Readonly<Record<string, string>> = {},
): string {
  const params = new URLSearchParams({
    ...query,
    ...(call.capture === null ? {} : { capture: call.capture }),
  })
  return `/calls/${encodeURIComponent(call.callId)}${what}${params.size === 0 ? '' : `?${params}`}`
}

/** The API takes ids of Asterisk's too, which two PBXes may have given: by such an id only a resolved link may open. */
function isOtherId({ callId, capture }: OpenTarget & { kind: 'call' }, legs: WholeCall['legs']): boolean {
  return capture === null && !legs.some((leg) => leg.callId === callId)
}

function sameTarget(a: OpenTarget, b: OpenTarget): boolean {
  return a.kind === 'call'
    ? b.kind === 'call' && a.callId === b.callId && a.capture === b.capture
    : b.kind === 'message' && a.id === b.id
}
