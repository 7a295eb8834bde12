import { setTimeout as pause } from 'node:timers/promises'
import type { SourceGap } from '@sip-capture/contract/bus/source-status.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { captureFilter } from './capture-filter.ts'
import { startCapturing, type CaptureExit, type CaptureProcess } from './capture-process.ts'
import type { CaptureInterface, CaptureProgram } from './capture-program.ts'
import { exitReason } from './exit-reason.ts'
import type { PortRange } from './port-list.ts'

export interface SupervisorOptions {
  readonly program: CaptureProgram
  readonly interfaces: readonly string[]
  readonly ports: readonly PortRange[]
  /** In place of the filter built from the ports. */
  readonly filter: string | undefined
  readonly logger: Logger
  readonly onStart: () => void
  readonly onBytes: (chunk: Uint8Array) => void
  /** The run ended; answers how many packets the capture itself told as lost. */
  readonly onEnd: () => number
  readonly onChange: () => void
}

export interface CaptureState {
  readonly state: 'starting' | 'up' | 'failed'
  readonly detail: string
}

const anyInterface = 'any'
const firstPauseMillis = 1000
const maxPauseMillis = 30_000
/** A run that lasted this long was a good one: the next pause starts small again. */
const goodRunMillis = 5000
const maxGaps = 32

/** Keeps the capture running for ever; an exit of any kind is a failure, starts a gap, and is told. */
export class Supervisor {
  readonly #options: SupervisorOptions
  #process: CaptureProcess | null = null
  #timer: NodeJS.Timeout | undefined
  #state: CaptureState
  #isStopping = false
  /** Why the running capture was ended on purpose. */
  #endedByUs: string | null = null
  #whenEnded: (() => void) | null = null
  #startedAtMicros: number | null = null
  #failures = 0
  #openGap: { fromMicros: number; reason: string } | null = null
  readonly #gaps: SourceGap[] = []
  /** Given up for the rest of this process where an interface refuses them. */
  #withCookedV2 = true
  #withVlan = true
  readonly counters = { restarts: 0, kernelDropped: 0 }

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#state = { state: 'starting', detail: `${options.program.name} is being started` }
    this.#run()
  }

  get state(): CaptureState {
    return this.#state
  }

  /** The last gaps; one that is still open ends now. */
  get gaps(): SourceGap[] {
    if (!this.#openGap) return this.#gaps
    const toMicros = Math.max(nowMicros(), this.#openGap.fromMicros)
    return [...this.#gaps, { ...this.#openGap, toMicros }].slice(-maxGaps)
  }

  /** Resolves when the program is gone and its last packets were handed over. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    if (!this.#process) return
    // What the kernel still holds is not fetched any more once it is told to end.
    if (this.#state.state === 'up') await pause(this.#options.program.handOverMicros / 1000)
    if (!this.#process) return
    const ended = new Promise<void>((resolve) => {
      this.#whenEnded = resolve
    })
    this.#process.stop()
    await ended
  }

  /** The running capture cannot be read on: ends it, which starts a new one. */
  restart(why: string): void {
    if (this.#endedByUs === null)
      this.#options.logger.error({ why }, 'the capture cannot be read on; starting anew')
    this.#endedByUs ??= `the bytes from ${this.#options.program.name} could not be read: ${why}`
    this.#process?.stop()
  }

  #interfaces(): CaptureInterface[] {
    const { interfaces, filter, ports } = this.#options
    return interfaces.map((name) => {
      const isAny = name === anyInterface
      const used = filter ?? captureFilter(ports, { withVlan: !isAny && this.#withVlan })
      return isAny && this.#withCookedV2
        ? { name, filter: used, linkType: 'LINUX_SLL2' }
        : { name, filter: used }
    })
  }

  #run(): void {
    this.#startedAtMicros = null
    const handlers = {
      onStart: () => this.#started(),
      onBytes: this.#options.onBytes,
      onExit: (exit: CaptureExit) => this.#ended(exit),
    }
    this.#process = startCapturing(this.#options.program, this.#interfaces(), handlers)
  }

  #started(): void {
    this.#startedAtMicros = nowMicros()
    this.#options.onStart()
    const after = this.#openGap
    if (this.#openGap) this.#addGap({ ...this.#openGap, toMicros: this.#startedAtMicros })
    this.#openGap = null
    const detail = `capturing on ${this.#options.interfaces.join(', ')}`
    const { logger, program } = this.#options
    if (after) logger.info({ reason: after.reason }, `${program.name} captures again`)
    else logger.info({ interfaces: this.#interfaces() }, `${program.name} captures`)
    this.#change({ state: 'up', detail })
  }

  #addGap(gap: SourceGap): void {
    this.#gaps.push({
      ...gap,
      reason: gap.reason.slice(0, 2000),
      toMicros: Math.max(gap.toMicros, gap.fromMicros),
    })
    if (this.#gaps.length > maxGaps) this.#gaps.shift()
  }

  #ended(exit: CaptureExit): void {
    this.#process = null
    const { logger, program, filter, interfaces } = this.#options
    const endedAtMicros = nowMicros()
    const started = this.#startedAtMicros
    const reported = started === null ? 0 : this.#options.onEnd()
    const dropped = Math.max(reported, exit.dropped ?? 0)
    if (dropped > 0) {
      this.counters.kernelDropped += dropped
      const reason = `${program.name}: the kernel dropped ${dropped} packets that ${program.reader} did not fetch in time`
      this.#addGap({ fromMicros: started ?? endedAtMicros, toMicros: endedAtMicros, reason })
    }
    if (this.#isStopping) {
      this.#whenEnded?.()
      return
    }
    if (started === null && this.#fallBack(exit)) {
      this.#run()
      return
    }
    const context = { program, interfaces: interfaces.join(', '), hasOwnFilter: filter !== undefined }
    const reason = this.#endedByUs ?? exitReason(exit, context)
    this.#endedByUs = null
    const wasGood = started !== null && endedAtMicros - started >= goodRunMillis * 1000
    this.#failures = wasGood ? 1 : this.#failures + 1
    this.#openGap ??= {
      fromMicros:
        started === null ? endedAtMicros : Math.max(started, endedAtMicros - program.handOverMicros),
      reason,
    }
    this.counters.restarts += 1
    const pauseMillis =
      this.#failures === 1 ? 0 : Math.min(firstPauseMillis * 2 ** (this.#failures - 2), maxPauseMillis)
    if (reason !== this.#state.detail) {
      logger.error({ code: exit.code, signal: exit.signal, pauseMillis }, reason)
    }
    const isFailed = started === null || this.#failures > 1
    this.#change({ state: isFailed ? 'failed' : 'starting', detail: reason })
    this.#timer = setTimeout(() => this.#run(), pauseMillis)
  }

  /** Whether an extra was refused that can be left out. */
  #fallBack(exit: CaptureExit): boolean {
    const said = exit.stderr.join(' ')
    if (
      this.#withCookedV2 &&
      /data link type|one of the DLTs/i.test(said) &&
      this.#options.interfaces.includes(anyInterface)
    ) {
      this.#withCookedV2 = false
      return true
    }
    const hasVlan = this.#withVlan && this.#options.filter === undefined
    if (hasVlan && /vlan/i.test(said) && /capture filter|no VLAN support/i.test(said)) {
      this.#withVlan = false
      return true
    }
    return false
  }

  #change(state: CaptureState): void {
    this.#state = { ...state, detail: state.detail.slice(0, 2000) }
    this.#options.onChange()
  }
}
