import type { SourceGap, SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { CaptureFile } from './capture-file.ts'
import type { CaptureProgram } from './capture-program.ts'
import type { SidecarConfig } from './config.ts'
import type { Pipeline } from './pipeline.ts'
import { Supervisor } from './supervisor.ts'

export interface CaptureStatus {
  readonly state: SourceStatus['state']
  /** What it captures with, and where; `''` while it is off. */
  readonly subject: string
  readonly detail: string
  readonly gaps: readonly SourceGap[]
  readonly counters: Record<string, number>
}

/** Where the frames come from: interfaces, a file or pipe, or nothing. */
export interface Capture {
  status(): CaptureStatus
  stop(): Promise<void>
}

export interface CaptureOptions {
  readonly config: SidecarConfig
  readonly program: CaptureProgram
  readonly logger: Logger
  readonly pipeline: Pipeline
  /** Waits until what was read has room downstream; only a file can be made to wait. */
  readonly whenRoom: () => Promise<void>
  readonly onChange: () => void
}

export function startCapture(options: CaptureOptions): Capture {
  const { TSHARK_ENABLED, TSHARK_INTERFACE } = options.config
  if (!TSHARK_ENABLED) return createOffCapture()
  const [path] = TSHARK_INTERFACE
  return TSHARK_INTERFACE.length === 1 && path?.includes('/')
    ? createFileCapture(path, options)
    : createLiveCapture(options)
}

function createOffCapture(): Capture {
  return {
    status: () => ({
      state: 'off',
      subject: '',
      detail: 'capture on the wire is off: set TSHARK_ENABLED=true to switch it on',
      gaps: [],
      counters: {},
    }),
    stop: () => Promise.resolve(),
  }
}

function createFileCapture(path: string, options: CaptureOptions): Capture {
  const { pipeline, whenRoom, onChange } = options
  const file = new CaptureFile({
    path,
    onBytes: (chunk) => pipeline.push(chunk),
    onChunkDone: whenRoom,
    onEnd: () => {
      pipeline.end()
      pipeline.expire()
      return pipeline.problem
    },
    onChange,
  })
  return {
    status: () => ({ ...file.state, subject: `file ${path}`, gaps: [], counters: {} }),
    stop: () => file.stop(),
  }
}

function createLiveCapture(options: CaptureOptions): Capture {
  const { config, program, logger, pipeline, onChange } = options
  const supervisor: Supervisor = new Supervisor({
    program,
    interfaces: config.TSHARK_INTERFACE,
    ports: config.TSHARK_PORT,
    filter: config.TSHARK_FILTER,
    logger,
    onStart: () => pipeline.restart(),
    onBytes: (chunk) => {
      pipeline.push(chunk)
      if (pipeline.problem !== null) supervisor.restart(pipeline.problem)
    },
    report: () => pipeline.report,
    onChange,
  })
  return {
    status: () => ({
      ...supervisor.state,
      subject: `${supervisor.program} on ${config.TSHARK_INTERFACE.join(', ')}`,
      gaps: supervisor.gaps,
      counters: supervisor.counters,
    }),
    stop: () => supervisor.stop(),
  }
}
