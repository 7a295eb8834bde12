/** Says on stderr what a long step does and how long it has been at it. Counts no work, invents no percentage. */
export interface Progress {
  /** What the step is at now; shown with the next line, at most one a second. */
  note(text: string): void
  done(text?: string): void
  failed(text: string): void
}

const linePause = 1000

export function startProgress(what: string, out: NodeJS.WritableStream = process.stderr): Progress {
  const startedAt = performance.now()
  let noted = ''
  let shown = ''
  const isTerminal = 'isTTY' in out && out.isTTY === true
  const write = (text: string, last: boolean): void => {
    const seconds = Math.round((performance.now() - startedAt) / 1000)
    const line = `${what}: ${text} (${seconds} s)`
    if (isTerminal) out.write(`\r\u001b[2K${line.slice(0, 118)}${last ? '\n' : ''}`)
    else out.write(`${line}\n`)
  }
  write('started', false)
  const timer = setInterval(
    () => {
      if (isTerminal || noted !== shown) write(noted === '' ? 'running' : noted, false)
      shown = noted
    },
    isTerminal ? linePause : linePause * 5,
  )
  timer.unref()
  return {
    note(text) {
      noted = text
    },
    done(text = 'done') {
      clearInterval(timer)
      write(text, true)
    },
    failed(text) {
      clearInterval(timer)
      write(`failed: ${text}`, true)
    },
  }
}
