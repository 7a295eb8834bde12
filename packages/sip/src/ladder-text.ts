import type { Arrow, Ladder, Lane } from './ladder.ts'

const shortestSpan = 16
const longestSpan = 36
/** A longer pause than this is told by a line of its own. */
const toldPauseMicros = 2_000_000

/**
 * The ladder in ASCII, for a ticket or a terminal: a line a message with its number, seconds since the first, arrow and
 * details. Folds retransmissions into their first sending. Lines end in `\n`; no character in it acts on a terminal.
 */
export function ladderText(ladder: Ladder, { maxMessages = 1000 }: { maxMessages?: number } = {}): string {
  const arrows = ladder.arrows.filter(({ repeatOf }) => repeatOf === null)
  const shown = arrows.slice(0, maxMessages)
  const columns = laneColumns(ladder, shown)
  const hasLegs = ladder.legs.length > 1
  const lines = headLines(ladder.lanes, columns, hasLegs)
  let before = shown[0]?.atMicros ?? 0
  for (const arrow of shown) {
    const pause = arrow.atMicros - before
    before = Math.max(before, arrow.atMicros)
    if (pause >= toldPauseMicros)
      lines.push(`${' '.repeat(prefixWidth(hasLegs))}${lifelines(columns)}  ~ ${seconds(pause, 1)} s ~`)
    lines.push(messageLine(arrow, ladder, columns, hasLegs))
  }
  const left = arrows.length - shown.length
  if (left > 0) lines.push(`... and ${left} more messages`)
  return `${lines.map((line) => line.trimEnd()).join('\n')}\n`
}

/** Where the lifeline of each lane stands, in characters. */
function laneColumns({ lanes, legs }: Ladder, arrows: readonly Arrow[]): number[] {
  const spans = lanes.map(() => shortestSpan)
  for (const arrow of arrows) {
    const [low, high] = ends(arrow)
    // An arrow over several lanes has room enough in most cases; only neighbours set the width.
    if (high - low === 1)
      spans[low] = Math.min(longestSpan, Math.max(spans[low] ?? 0, arrowText(arrow).length + 8))
  }
  for (const [index, lane] of lanes.entries()) {
    const width = Math.max(...laneTexts(lane).map((text) => text.length)) + 2
    if (index < lanes.length - 1) spans[index] = Math.min(longestSpan, Math.max(spans[index] ?? 0, width))
  }
  let at = Math.min(
    longestSpan,
    Math.ceil(Math.max(0, ...laneTexts(lanes[0]).map((text) => text.length)) / 2),
  )
  at = Math.max(2, at - (legs.length > 1 ? 4 : 0))
  return lanes.map((_, index) => {
    const column = at
    at += spans[index] ?? 0
    return column
  })
}

function laneTexts(lane: Lane | undefined): string[] {
  if (lane === undefined) return ['']
  const [host] = lane.hosts
  const address = host?.address.includes(':') === true ? `[${host.address}]` : (host?.address ?? '')
  const ports = host === undefined || host.ports.length === 0 ? '' : `:${host.ports.slice(0, 2).join(',:')}`
  return lane.name === '' ? [toAscii(address || '?'), ports] : [toAscii(lane.name), toAscii(address + ports)]
}

function headLines(lanes: readonly Lane[], columns: readonly number[], hasLegs: boolean): string[] {
  return [0, 1].map((row) => {
    let line = ''
    for (const [index, lane] of lanes.entries()) {
      const text = laneTexts(lane)[row] ?? ''
      const from = prefixWidth(hasLegs) + (columns[index] ?? 0) - Math.floor(text.length / 2)
      line = `${line.padEnd(Math.max(from, line === '' ? 0 : line.length + 1))}${text}`
    }
    return line
  })
}

function prefixWidth(hasLegs: boolean): number {
  return hasLegs ? 20 : 15
}

function messageLine(arrow: Arrow, ladder: Ladder, columns: readonly number[], hasLegs: boolean): string {
  const number = arrow.number === 0 ? '' : `#${arrow.number}`
  const leg = hasLegs ? `[${ladder.legs[arrow.leg]?.number ?? 0}]`.padEnd(5) : ''
  const time = arrow.ghost === null ? seconds(arrow.offsetMicros, 3) : ''
  const prefix = `${number.padStart(5)} ${leg}${time.padStart(9)}`
  const [low, high] = ends(arrow)
  const [from, to] = [columns[low] ?? 0, columns[high] ?? 0]
  const line = lifelines(columns)
  const room = to - from - 1
  const text = cut(arrowText(arrow), room - 4)
  const dash = arrow.ghost === null ? '-' : '.'
  const left = Math.max(1, Math.floor((room - text.length - 2) / 2))
  const shaft = `${dash.repeat(left)} ${text} `.padEnd(room, dash)
  const isForward = arrow.toLane > arrow.fromLane
  const body = isForward ? `${shaft.slice(0, room - 1)}>` : `<${shaft.slice(0, room - 1)}`
  const drawn = line.slice(0, from + 1) + body + line.slice(from + 1 + room)
  const details = [arrow.detail, arrow.ghost?.reason ?? '', arrow.ghost?.rfc ?? ''].filter(Boolean)
  return `${prefix.padEnd(prefixWidth(hasLegs))}${drawn}  ${toAscii(details.join(' - '))}`
}

function lifelines(columns: readonly number[]): string {
  return columns.reduce((line, column) => `${line.padEnd(column)}|`, '')
}

function ends({ fromLane, toLane }: Arrow): [number, number] {
  return fromLane < toLane ? [fromLane, toLane] : [toLane, fromLane]
}

function arrowText(arrow: Arrow): string {
  return toAscii(`${arrow.label}${arrow.repeats > 0 ? ` +${arrow.repeats}` : ''}`)
}

function cut(text: string, room: number): string {
  return text.length <= room ? text : `${text.slice(0, Math.max(1, room - 2))}..`
}

function seconds(micros: number, digits: number): string {
  return (micros / 1_000_000).toFixed(digits)
}

/** Characters of other widths would push the lifelines apart. */
function toAscii(text: string): string {
  return text
    .replaceAll('→', '->')
    .replaceAll('−', '-')
    .replaceAll(/\s*·\s*/g, '; ')
    .replaceAll(/[^\x20-\x7e]/gu, '?')
}
