import type { HostPort } from '@sip-capture/contract/bus/sip-record.ts'
import { parseHostPort } from '../own-addresses.ts'

/**
 * What `pjsip show history entry N` prints:
 *
 *   <--- History Entry 4 Sent to 127.0.0.2:5061 at 1795391929 --->
 *   SIP/2.0 180 Ringing CR
 *   …
 *
 * pjsip printed the message anew (`Content-Length` twice, `received=` in Via, no NUL bytes): these are not wire bytes.
 */
export interface HistoryEntry {
  readonly direction: 'in' | 'out'
  readonly far: HostPort
  /** Asterisk's clock, whole seconds. */
  readonly atSeconds: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

const head = /^<--- History Entry \d+ (Sent to|Received from) (\S+) at (\d{1,12}) --->\s*$/

/** `output` is the Command's lines as latin1, each without the LF that ended it. */
export function parseHistoryEntry(output: readonly string[]): HistoryEntry | undefined {
  const match = head.exec(output[0] ?? '')
  const far = parseHostPort(match?.[2] ?? '')
  if (!match || !far || output.length < 2) return undefined
  return {
    direction: match[1] === 'Sent to' ? 'out' : 'in',
    far,
    atSeconds: Number(match[3]),
    bytes: Uint8Array.from(Buffer.from(output.slice(1).join('\n'), 'latin1')),
  }
}

export const isAbsent = (output: readonly string[]) => /^Entry '\d+' does not exist/.test(output[0] ?? '')

const maxOverlapMicros = 1_000_000

export interface DatedSpan {
  readonly atMicros: number
  /** Half-width would understate it: the true time lies anywhere within this many microseconds around. */
  readonly precisionMicros: number
}

/**
 * When entries came about: after `absentAtMicros`, when the first of them was not there yet, before `presentAtMicros`,
 * and within the whole second that Asterisk printed. Entries of one span are spread over it in their order, none at or
 * before `lastAtMicros`, the date of the entry before them. All clocks are Asterisk's own.
 */
export function dateEntries(
  atSeconds: readonly number[],
  absentAtMicros: number,
  presentAtMicros: number,
  lastAtMicros = 0,
): DatedSpan[] {
  const spans = atSeconds.map((seconds) => {
    const second = seconds * 1_000_000
    const from = Math.max(second, absentAtMicros)
    const to = Math.min(second + 1_000_000, presentAtMicros)
    // No overlap: a clock was set meanwhile. The printed second is what Asterisk says.
    return to > from ? { from, to } : { from: second, to: second + 1_000_000 }
  })
  const dated: DatedSpan[] = []
  let last = lastAtMicros
  for (let start = 0; start < spans.length;) {
    const { from = 0, to = 0 } = spans[start] ?? {}
    let end = start + 1
    while (spans[end]?.from === from && spans[end]?.to === to) end += 1
    for (let i = start; i < end; i++) {
      const spread = Math.floor(from + ((to - from) * (i - start + 0.5)) / (end - start))
      // Far behind the entry before: the clock was set back, and order cannot be told by time any more.
      last = last - to > maxOverlapMicros ? spread : Math.max(spread, last + 1)
      dated.push({ atMicros: last, precisionMicros: Math.max(1, Math.round(to - from)) })
    }
    start = end
  }
  return dated
}
