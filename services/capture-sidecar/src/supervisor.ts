import { setTimeout as pause } from 'node:timers/promises'
import type { SourceGap } from '@sip-capture/contract/bus/source-status.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { CaptureReport } from '@sip-capture/pcap/captured-packet.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { captureFilter } from './capture-filter.ts'
import { startCapturing, type CaptureExit, type CaptureProcess } from './capture-process.ts'
import type { CaptureInterface, CaptureProgram } from './capture-program.ts'
import { exitReason, isUnusable, wordsOf } from './exit-reason.ts'
import { GapLog } from './gap-log.ts'
import type { PortRange } from './port-list.ts'
import { readProgramVersion, versionIn } from './program-version.ts'

export interface SupervisorOptions {
  readonly program: CaptureProgram
  readonly interfaces: readonly string[]
  readonly ports: readonly PortRange[]
  /** In place of the filter built from the ports. */
  readonly filter: string | undefined
  readonly logger: Logger
  readonly onStart: () => void
  readonly onBytes: (chunk: Uint8Array) => void
  /** What the running capture told of itself so far. */
  readonly report: () => CaptureReport
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

/** Keeps the capture running for ever; an exit of any kind is a failure, starts a gap, and is told. */
export class Supervisor {
  readonly #options: SupervisorOptions
  #program: CaptureProgram
  #version: string | null = null
  /** Why another program captures than the one that was asked for. */
  #insteadBecause: string | null = null
  #process: CaptureProcess | null = null
  #timer: NodeJS.Timeout | undefined
  #state: CaptureState
  #isStopping = false
  /** Why the running capture was ended on purpose. */
  #endedByUs: string | null = null
  #whenEnded: (() => void) | null = null
  #startedAtMicros: number | null = null
  #failures = 0
  readonly #gaps = new GapLog()
  /** Of the running capture: what it told as lost, and when it last counted. */
  #lost = 0
  #countedAtMicros = 0
  #tookAtMicros = 0
  /** Given up for the rest of this process where an interface refuses them. */
  #withCookedV2 = true
  #withVlan = true
  readonly counters = { restarts: 0, kernelDropped: 0 }

  constructor(options: SupervisorOptions) {
    this.#options = options
    this.#program = options.program
    this.#state = { state: 'starting', detail: `${options.program.name} is being started` }
    void this.#use(options.program)
  }

  get state(): CaptureState {
    return this.#state
  }

  /** What captures: `tshark 4.0.17`. */
  get program(): string {
    return this.#version === null ? this.#program.name : `${this.#program.name} ${this.#version}`
  }

  get gaps(): SourceGap[] {
    return this.#gaps.list(nowMicros())
  }

  /** Resolves when the program is gone and its last packets were handed over. */
  async stop(): Promise<void> {
    this.#isStopping = true
    clearTimeout(this.#timer)
    if (!this.#process) return
    // What the kernel still holds is not fetched any more once it is told to end.
    if (this.#state.state === 'up') await pause(this.#program.handOverMicros / 1000)
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
    this.#endedByUs ??= `the bytes from ${this.#program.name} could not be read: ${why}`
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

  async #use(program: CaptureProgram): Promise<void> {
    this.#program = program
    // Our own reader tells it in what it writes.
    if (program.name !== 'libpcap') this.#version = await readProgramVersion(program.command)
    if (!this.#isStopping) this.#run()
  }

  #run(): void {
    this.#startedAtMicros = null
    const handlers = {
      onStart: () => this.#started(),
      onBytes: (chunk: Uint8Array) => this.#take(chunk),
      onExit: (exit: CaptureExit) => this.#ended(exit),
    }
    this.#process = startCapturing(this.#program, this.#interfaces(), handlers)
  }

  #take(chunk: Uint8Array): void {
    this.#tookAtMicros = nowMicros()
    this.#options.onBytes(chunk)
    const { application, drops, atMicros } = this.#options.report()
    if (this.#state.state !== 'up') {
      this.#version ??= versionIn(application)
      this.#change({ state: 'up', detail: this.#upDetail() })
    }
    if (atMicros !== null && atMicros !== this.#countedAtMicros) this.#count(drops, atMicros)
  }

  /** `lost`: packets since the running capture began. Those that are new lie between the last count and this one. */
  #count(lost: number, atMicros: number): void {
    const packets = lost - this.#lost
    if (packets > 0) {
      this.#lost = lost
      this.counters.kernelDropped += packets
      const { name, reader } = this.#program
      this.#gaps.lose(
        packets,
        { fromMicros: this.#countedAtMicros, toMicros: atMicros },
        (all) => `${name}: the kernel dropped ${all} packets that ${reader} did not fetch in time`,
      )
    }
    this.#countedAtMicros = atMicros
  }

  #started(): void {
    this.#startedAtMicros = nowMicros()
    this.#lost = 0
    this.#countedAtMicros = this.#startedAtMicros
    this.#options.onStart()
    const reason = this.#gaps.close(this.#startedAtMicros)
    const { logger } = this.#options
    const { name } = this.#program
    if (reason === null) logger.info({ interfaces: this.#interfaces() }, `${name} captures`)
    else logger.info({ reason }, `${name} captures again`)
  }

  #upDetail(): string {
    const detail = `capturing on ${this.#options.interfaces.join(', ')}`
    if (this.#insteadBecause === null) return detail
    return `${detail} with ${this.#program.name}, as the packet reader cannot be used: ${this.#insteadBecause}`
  }

  #ended(exit: CaptureExit): void {
    this.#process = null
    const { logger, filter, interfaces } = this.#options
    const program = this.#program
    const endedAtMicros = nowMicros()
    const started = this.#startedAtMicros
    if (started !== null) this.#count(exit.dropped ?? 0, endedAtMicros)
    if (this.#isStopping) {
      this.#whenEnded?.()
      return
    }
    if (started === null && this.#fallBack(exit)) {
      this.#run()
      return
    }
    if (program.otherwise && isUnusable(exit)) {
      this.#useInstead(program.otherwise, wordsOf(exit))
      return
    }
    const context = { program, interfaces: interfaces.join(', '), hasOwnFilter: filter !== undefined }
    const why = this.#endedByUs ?? exitReason(exit, context)
    const reason =
      this.#insteadBecause === null
        ? why
        : `${why}; the packet reader cannot be used either: ${this.#insteadBecause}`
    this.#endedByUs = null
    const wasGood = started !== null && endedAtMicros - started >= goodRunMillis * 1000
    this.#failures = wasGood ? 1 : this.#failures + 1
    this.#gaps.open(
      started === null ? endedAtMicros : Math.max(started, this.#heldSince(endedAtMicros)),
      reason,
    )
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

  /** When the packets came that it had not handed over at its end. */
  #heldSince(endedAtMicros: number): number {
    // A process that was killed is seen to be gone only after the kernel has taken its ring apart. One that tells each second
    // what it lost was well when it last wrote.
    const isTelling = this.#options.report().atMicros !== null
    return (isTelling ? this.#tookAtMicros : endedAtMicros) - this.#program.handOverMicros
  }

  /** For the rest of this process: what is missing does not come while it runs. */
  #useInstead(program: CaptureProgram, why: string): void {
    this.#insteadBecause = why
    this.#options.logger.warn(
      { reason: why },
      `the packet reader cannot be used on this machine: ${program.name} captures in its place (TSHARK_COMMAND)`,
    )
    void this.#use(program)
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
