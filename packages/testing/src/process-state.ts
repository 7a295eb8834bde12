import { readdirSync, readFileSync } from 'node:fs'

/** What the system tells of a process. Read from /proc: a bare Debian has no `ps`. */
interface ProcessState {
  /** As far as fifteen bytes. */
  readonly program: string
  readonly state: string
  readonly parent: number
}

function stateOf(pid: number): ProcessState | undefined {
  try {
    // The program may have anything in its name.
    const [, program = '', state = '', parent] =
      /^\d+ \((.*)\) (\S) (\d+) [^)]*$/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? []
    return { program, state, parent: Number(parent) }
  } catch {
    return undefined
  }
}

/** Whether the process runs; one that ended and was not yet collected by its parent does not. */
export function isAlive(pid: number): boolean {
  const found = stateOf(pid)
  return found !== undefined && !['Z', 'X'].includes(found.state)
}

/** Process ids right below one, of this program if told. */
export function childrenOf(parent: number, program?: string): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      const found = pid > 0 ? stateOf(pid) : undefined
      return found?.parent === parent && (program === undefined || found.program === program)
    })
}
