/** A line of a service as a person reads it: `06:12:18 api  warn  the sentence  key=value`. */
export function toReadableLine(service: string, line: string): string {
  const entry = parseEntry(line)
  if (entry === null) return `${clock(new Date())} ${service.padEnd(nameWidth)} ${escapeControls(line)}`
  const { time, level, msg, name: _name, pid: _pid, hostname: _hostname, v: _v, ...rest } = entry
  const at = typeof time === 'string' || typeof time === 'number' ? new Date(time) : new Date()
  const fields = Object.entries(rest).map(([key, value]) => `${key}=${toText(value)}`)
  const word = typeof level === 'string' ? level : ''
  const text = [typeof msg === 'string' ? msg : '', ...fields].filter((part) => part !== '').join('  ')
  return `${clock(at)} ${service.padEnd(nameWidth)} ${word.padEnd(5)} ${escapeControls(text).slice(0, longestLine)}`
}

const nameWidth = 15
const longestLine = 2000

function parseEntry(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null
  try {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === 'object' && parsed !== null ? { ...parsed } : null
  } catch {
    return null
  }
}

function toText(value: unknown): string {
  if (typeof value === 'string') return value.includes(' ') ? JSON.stringify(value) : value
  if (isErrorLike(value)) return JSON.stringify(value.message)
  return JSON.stringify(value) ?? ''
}

function isErrorLike(value: unknown): value is { message: string } {
  return (
    typeof value === 'object' && value !== null && 'message' in value && typeof value.message === 'string'
  )
}

function clock(at: Date): string {
  return Number.isNaN(at.getTime()) ? '--:--:--' : at.toTimeString().slice(0, 8)
}

/** What callers put into SIP reaches log lines; in a terminal an escape byte of theirs would be a command. */
function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (character) => {
    const code = character.charCodeAt(0)
    return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`
  })
}
