import { effect, signal, untracked } from '@preact/signals'
import { type CallStats, callStats } from '@sip-capture/contract/rest/call-log.ts'
import { callTable } from '@sip-capture/contract/search/fields.ts'
import { parseSearch } from '@sip-capture/contract/search/parser.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { getJson } from './api-client.ts'
import { type CallsFilter, isLive, readCallsFilter, toCallsQuery } from './calls-filter.ts'
import { navigate, pageLocation } from './location.ts'

const refreshMillis = 30_000

/** State of `/stats`: the numbers of the address's search, asked again while time goes on. */
export class StatsModel {
  readonly filter = signal<CallsFilter>(readCallsFilter(pageLocation.peek().params))
  readonly answer = signal<CallStats | null>(null)
  readonly problem = signal<string | null>(null)
  readonly loading = signal(false)
  #abort: AbortController | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  start(): () => void {
    const dispose = effect(() => {
      const { path, params } = pageLocation.value
      if (path === '/stats') untracked(() => this.#ask(readCallsFilter(params)))
    })
    return () => {
      dispose()
      clearTimeout(this.#timer)
      this.#abort?.abort()
    }
  }

  setFilter(filter: CallsFilter): void {
    navigate('/stats', toCallsQuery(filter))
  }

  #ask(filter: CallsFilter): void {
    this.filter.value = filter
    this.answer.value = null
    this.problem.value = null
    void this.#load()
  }

  async #load(): Promise<void> {
    this.#abort?.abort()
    clearTimeout(this.#timer)
    const controller = new AbortController()
    this.#abort = controller
    const filter = this.filter.peek()
    // The search bar says what is wrong with it.
    if (!parseSearch(filter.q, callTable, { nowMicros: nowMicros() }).ok) return
    this.loading.value = true
    const answer = await getJson(`/stats?${toCallsQuery(filter)}`, callStats, controller.signal)
    if (controller !== this.#abort) return
    this.loading.value = false
    if (answer.ok) {
      this.answer.value = answer.value
      this.problem.value = null
    } else if (answer.problem.kind !== 'aborted') this.problem.value = answer.problem.message
    if (isLive(filter)) this.#timer = setTimeout(() => void this.#load(), refreshMillis)
  }
}
