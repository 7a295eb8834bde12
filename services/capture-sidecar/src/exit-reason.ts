import type { CaptureExit } from './capture-process.ts'
import type { CaptureProgram } from './capture-program.ts'
import { exitCodes } from './packet-reader/exit-codes.ts'

export interface ExitContext {
  readonly program: CaptureProgram
  readonly interfaces: string
  readonly hasOwnFilter: boolean
}

/** Lines that are there on every run. */
const noise = [
  /^Running as user/,
  /^Capturing on/,
  /^tcpdump: (?:listening on|dropped privs to|data link type) /,
  /^\d+ packets? (?:received by filter|dropped by kernel)$/,
  /packets? captured/,
  /MESSAGE\]/,
  /^tshark:\s*$/,
  /^\d+\s*$/,
]

/** Why the capture ended, in one sentence that names the setting to look at. */
export function exitReason(exit: CaptureExit, context: ExitContext): string {
  const { name, reader, command } = context.program
  if (exit.spawnError !== null) {
    if (name === 'libpcap')
      return `the packet reader cannot be started (${exit.spawnError}); TSHARK_COMMAND=tshark does without it`
    const why =
      exit.spawnError === 'ENOENT' ? 'there is no such program' : `it cannot be started (${exit.spawnError})`
    return `TSHARK_COMMAND: ${quoted(command)}: ${why}; install ${name} or set the path`
  }
  const words = wordsOf(exit)
  if (/capture filter|filter expression/i.test(words)) {
    return `${context.hasOwnFilter ? 'TSHARK_FILTER' : 'TSHARK_PORT'}: ${name} refuses the filter: ${words}`
  }
  if (/permission|not permitted|don't have|couldn't run|EPERM/i.test(words)) {
    return `${name} may not capture on ${context.interfaces} (TSHARK_INTERFACE): give ${reader} CAP_NET_RAW: ${words}`
  }
  if (/no device named|no such device|no interface|doesn't exist|isn't a valid interface/i.test(words)) {
    return `TSHARK_INTERFACE: there is no interface ${context.interfaces}: ${words}`
  }
  const how = exit.signal === null ? `with code ${exit.code ?? '?'}` : `by signal ${exit.signal}`
  return `${name} on ${context.interfaces} ended ${how}${words === '' ? '' : `: ${words}`}`
}

/** Whether the packet reader lacks something on this machine, and will lack it the next time too. */
export function isUnusable({ code }: CaptureExit): boolean {
  return code === exitCodes.noLibrary || code === exitCodes.noPermission
}

/** What it said, without what it always says. */
export function wordsOf({ stderr }: CaptureExit): string {
  const said = stderr.filter((line) => !noise.some((pattern) => pattern.test(line)))
  return said.join(' ').replace(/\s+/g, ' ').slice(0, 600)
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
