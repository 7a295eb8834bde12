import { ConfigError, exitCodeConfig } from '@sip-capture/service/config.ts'
import { MissingPackageError } from './debian-packages.ts'
import { toReadableLine } from './log-lines.ts'
import { type Stack, StackError, type StackOptions, startStack } from './stack.ts'

export interface StackRun {
  readonly stack: Stack
  /** Ends the run as Ctrl-C does. */
  end(exitCode?: number): Promise<void>
}

function say(service: string, line: string): void {
  process.stdout.write(`${toReadableLine(service, line)}\n`)
}

/** Redis marks warnings with `#`; its advice about kernel settings of the machine is not about a fault. */
function isForOperator(redisLine: string): boolean {
  return (
    / # /.test(redisLine) && !/overcommit_memory|Transparent Huge|oO0OoO0OoO0Oo|TCP backlog/i.test(redisLine)
  )
}

/**
 * Runs a stack in the foreground: logs to stdout, SIGINT, SIGTERM and SIGHUP stop everything, a wrong setting stops
 * everything with the service's sentence and exit code 78.
 */
export async function runStack(
  options: StackOptions,
  hooks: { beforeStop?: () => Promise<void>; afterStop?: () => Promise<void> } = {},
): Promise<StackRun> {
  let run: StackRun | null = null
  let ending: Promise<void> | null = null
  const stack = await startStack({
    ...options,
    onLine(service, line) {
      if (service === 'redis' && !isForOperator(line)) return
      say(service, line)
    },
    onUnexpectedExit(service, how, pauseMs) {
      if (ending !== null) return
      if (pauseMs === null) {
        process.stderr.write(`${service} cannot run with these settings; see its sentence above.\n`)
        void run?.end(exitCodeConfig)
      } else say('start', `${service} ended by itself (${how}); starting it again in ${pauseMs / 1000} s`)
    },
  })
  const end = (exitCode = 0): Promise<void> => {
    ending ??= (async () => {
      say('start', 'stopping')
      await hooks.beforeStop?.()
      await stack.stop()
      await hooks.afterStop?.()
      say('start', 'stopped')
      process.exit(exitCode)
    })()
    return ending
  }
  run = { stack, end }
  return run
}

/** Stops on the signals of a terminal and of a supervisor, from the very start on; a second one changes nothing. */
export function onStopSignal(stop: () => void): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop)
}

/** What the operator can mend is told as sentences and ends with 78; anything else is our fault and keeps its stack. */
export function exitWithSentence(error: unknown): never {
  if (error instanceof ConfigError || error instanceof StackError || error instanceof MissingPackageError) {
    process.stderr.write(`${error.message}\n`)
    process.exit(exitCodeConfig)
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  process.exit(1)
}
