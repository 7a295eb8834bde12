import type { Arrow, Ladder, MediaSpan } from '@sip-capture/sip/ladder.ts'

/** What stands where in the drawing, in pixels from its top: pure, so that the page and a saved picture agree. */
export interface LadderLayout {
  readonly rows: readonly LadderRow[]
  readonly bands: readonly MediaBand[]
  readonly height: number
  /** Of a message id: the row that shows it; a folded retransmission is shown by its first sending. */
  rowOf(id: string): number
}

export type LadderRow = ArrowRow | MediaRow

interface RowPlace {
  /** Top of the row itself; the pause before it is above. */
  readonly y: number
  readonly height: number
}

export interface ArrowRow extends RowPlace {
  readonly kind: 'arrow'
  readonly arrow: Arrow
  /** Into the arrows of the ladder. */
  readonly index: number
  /** Since the row before; 0 when it is not worth a word. */
  readonly pauseMicros: number
  /** Room above the row that stands for the pause. */
  readonly pauseHeight: number
  /** True when the pause is too long for the scale and was cut. */
  readonly isCut: boolean
}

export interface MediaRow extends RowPlace {
  readonly kind: 'media'
  readonly span: MediaSpan
}

/** Both ends of a time in which media flow. */
export interface MediaBand {
  readonly span: MediaSpan
  readonly fromY: number
  readonly toY: number
}

export interface LayoutOptions {
  /** Retransmissions are told by their first sending (`+3`). */
  readonly isFolded: boolean
  /** Distances are times. */
  readonly isToScale: boolean
}

export const plainHeight = 34
export const detailHeight = 47
const mediaHeight = 26
/** Where in its row the line of an arrow is. */
export const lineOffset = 22

const toldPauseMicros = 2_000_000
const pauseLineHeight = 22
const pixelsPerSecond = 40
/** Ten minutes of talk would be many screens of nothing: a longer pause is cut, and its length written. */
const longestPause = 600

export function layOutLadder(ladder: Ladder, { isFolded, isToScale }: LayoutOptions): LadderLayout {
  const rows: LadderRow[] = []
  const rowById = new Map<string, number>()
  const mediaAfter = placeMedia(ladder)
  let y = 0
  let beforeMicros = ladder.arrows[0]?.atMicros ?? 0
  let beforeLineY = lineOffset
  for (const [index, arrow] of ladder.arrows.entries()) {
    if (isFolded && arrow.repeatOf !== null) {
      rowById.set(arrow.id, rowById.get(arrow.repeatOf) ?? 0)
    } else {
      const pause = Math.max(0, arrow.atMicros - beforeMicros)
      const isTold = pause >= toldPauseMicros
      let room = isTold ? pauseLineHeight : 0
      let isCut = false
      if (isToScale && rows.length > 0) {
        const scaled = Math.round((pause / 1_000_000) * pixelsPerSecond)
        isCut = scaled > longestPause
        room = Math.max(room, Math.min(scaled, longestPause) - (y + lineOffset - beforeLineY))
      }
      const height = hasDetail(arrow) ? detailHeight : plainHeight
      y += room
      rowById.set(arrow.id, rows.length)
      rows.push({
        kind: 'arrow',
        arrow,
        index,
        y,
        height,
        pauseMicros: isTold ? pause : 0,
        pauseHeight: room,
        isCut,
      })
      beforeMicros = Math.max(beforeMicros, arrow.atMicros)
      beforeLineY = y + lineOffset
      y += height
    }
    for (const span of mediaAfter.get(arrow.id) ?? []) {
      rows.push({ kind: 'media', span, y, height: mediaHeight })
      y += mediaHeight
    }
  }
  const rowOf = (id: string) => rowById.get(id) ?? -1
  const lineOf = (id: string | null, otherwise: number): number => {
    const row = id === null ? undefined : rows[rowOf(id)]
    return row === undefined ? otherwise : row.y + lineOffset
  }
  const bands = ladder.media.map((span) => ({
    span,
    fromY: lineOf(span.beganById, 0),
    toY: lineOf(span.endedById, y),
  }))
  return { rows, bands, height: y, rowOf }
}

export function hasDetail(arrow: Arrow): boolean {
  return arrow.detail !== '' || arrow.ghost !== null
}

/** Media are told after the ACK that goes with the answer, where it follows at once. */
function placeMedia({ arrows, media }: Ladder): Map<string, MediaSpan[]> {
  const indexById = new Map(arrows.map(({ id }, index) => [id, index]))
  const after = new Map<string, MediaSpan[]>()
  for (const span of media) {
    const began = indexById.get(span.beganById) ?? 0
    const ack = arrows
      .slice(began + 1, began + 4)
      .find(({ callId, label }) => callId === span.callId && label === 'ACK')
    const id = ack?.id ?? span.beganById
    after.set(id, [...(after.get(id) ?? []), span])
  }
  return after
}

/** Where the row begins, with the pause above it. */
export function topOf(row: LadderRow): number {
  return row.kind === 'arrow' ? row.y - row.pauseHeight : row.y
}

/** First and last row that touch `top` to `bottom`; `rows` are in order of `y`. */
export function rowsWithin(
  rows: readonly LadderRow[],
  top: number,
  bottom: number,
): { first: number; last: number } {
  const first = Math.max(0, search(rows, top) - 1)
  return { first, last: Math.min(rows.length - 1, search(rows, bottom)) }
}

/** Place of the first row that begins at `y` or below. */
function search(rows: readonly LadderRow[], y: number): number {
  let low = 0
  let high = rows.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((rows[middle]?.y ?? 0) < y) low = middle + 1
    else high = middle
  }
  return low
}

/** Widths of the drawing. On a phone three lanes fit: less room for the time, and narrower lanes. */
export interface LadderGeometry {
  readonly isNarrow: boolean
  readonly timeWidth: number
  readonly laneWidth: number
  readonly width: number
  laneX(lane: number): number
}

const narrowBelow = 560

export function ladderGeometry(available: number, laneCount: number): LadderGeometry {
  const isNarrow = available < narrowBelow
  const timeWidth = isNarrow ? 60 : 104
  const laneWidth = Math.max(
    isNarrow ? 100 : 132,
    Math.floor((available - timeWidth - (isNarrow ? 0 : 12)) / Math.max(1, laneCount)),
  )
  return {
    isNarrow,
    timeWidth,
    laneWidth,
    width: timeWidth + laneWidth * laneCount,
    laneX: (lane) => timeWidth + laneWidth * (lane + 0.5),
  }
}
