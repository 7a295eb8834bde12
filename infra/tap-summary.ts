/** What a TAP stream holds so far. An assertion is an `ok` line that closes no subtest. */
export interface TapSummary {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Takes a line; gives what to print: nothing inside a file, at a file's end its line, with all it said if it failed. */
  push(line: string): string[]
}

const pointLine = /^( *)(not )?ok(?: \d+)?(?: (.*))?$/
const planLine = /^( *)1\.\.\d+/

export function createTapSummary(): TapSummary {
  let passed = 0
  let failed = 0
  let skipped = 0
  let previousIndent = 0
  let held: string[] = []

  const push = (line: string): string[] => {
    held.push(line)
    const plan = planLine.exec(line)
    if (plan !== null) {
      previousIndent = plan[1]?.length ?? 0
      // The plan of the whole stream comes before or after all files.
      return []
    }
    const point = pointLine.exec(line)
    if (point === null) return []
    const indent = point[1]?.length ?? 0
    const isFailed = point[2] !== undefined
    const rest = point[3] ?? ''
    const closesSubtest = previousIndent > indent
    previousIndent = indent
    if (/# (SKIP|TODO)/i.test(rest)) skipped += 1
    else if (isFailed && (!closesSubtest || indent === 0) && !hasCountedFailure(held, indent, closesSubtest))
      failed += 1
    else if (!isFailed && !closesSubtest) passed += 1
    if (indent > 0) return []
    const lines = isFailed ? held : [line]
    held = []
    return lines
  }
  return {
    get passed() {
      return passed
    },
    get failed() {
      return failed
    },
    get skipped() {
      return skipped
    },
    push,
  }
}

/** A file can fail though none of its assertions did (it crashed, or ran out of time): that counts as one failure. */
function hasCountedFailure(held: readonly string[], indent: number, closesSubtest: boolean): boolean {
  if (indent > 0 || !closesSubtest) return false
  return held.some((line) => line.startsWith(' ') && pointLine.exec(line)?.[2] !== undefined)
}
