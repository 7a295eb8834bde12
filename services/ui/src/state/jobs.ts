import { computed, signal } from '@preact/signals'
import type { ExportView, ScheduleView } from '@sip-capture/contract/rest/export.ts'
import type { ImportView } from '@sip-capture/contract/rest/import.ts'
import { deleting } from './deferred-delete.ts'
import { isGoingOn, jobPath, listExports, listImports, listSchedules } from './job-client.ts'

const busyMillis = 1000
const quietMillis = 15_000

/** What the exports page shows. Asks each second while something goes on, and seldom otherwise. */
export class JobsModel {
  readonly problem = signal<string | null>(null)
  /** False until the first answer. */
  readonly loaded = signal(false)
  readonly #exports = signal<readonly ExportView[]>([])
  readonly #schedules = signal<readonly ScheduleView[]>([])
  readonly #imports = signal<readonly ImportView[]>([])
  #timer: ReturnType<typeof setTimeout> | undefined
  #watching = false
  #asked = 0

  readonly exports = computed(() =>
    this.#exports.value.filter((one) => !deleting.value.has(jobPath.export(one.id))),
  )
  readonly schedules = computed(() =>
    this.#schedules.value.filter((one) => !deleting.value.has(jobPath.schedule(one.id))),
  )
  readonly imports = computed(() =>
    this.#imports.value.filter((one) => !deleting.value.has(jobPath.import(one.id))),
  )
  readonly busy = computed(
    () =>
      this.#exports.value.some(isGoingOn) ||
      this.#imports.value.some(isGoingOn) ||
      this.#schedules.value.some((one) => one.lastRun !== null && isGoingOn(one.lastRun)),
  )

  /** Follows the API until the answer is called. */
  watch(): () => void {
    this.#watching = true
    void this.load()
    return () => {
      this.#watching = false
      clearTimeout(this.#timer)
    }
  }

  async load(): Promise<void> {
    clearTimeout(this.#timer)
    const asked = (this.#asked += 1)
    const [exports, schedules, imports] = await Promise.all([listExports(), listSchedules(), listImports()])
    // An answer that was asked for before a change must not undo what a later one told.
    if (asked !== this.#asked) return
    if (exports.ok) this.#exports.value = exports.value.items
    if (schedules.ok) this.#schedules.value = schedules.value.items
    if (imports.ok) this.#imports.value = imports.value.items
    const failed = [exports, schedules, imports].find((answer) => !answer.ok)
    this.problem.value = failed === undefined || failed.ok ? null : failed.problem.message
    this.loaded.value = true
    if (!this.#watching) return
    // A run that is due soon is worth being there for.
    const dueMillis = Math.min(
      ...this.#schedules.value
        .map((one) => Date.parse(one.nextRunAt ?? '') - Date.now())
        .filter((ms) => ms > 0),
    )
    const pause = this.busy.peek() ? busyMillis : Math.min(quietMillis, Math.max(busyMillis, dueMillis))
    this.#timer = setTimeout(() => void this.load(), pause)
  }
}
