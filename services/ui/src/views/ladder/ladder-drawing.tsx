import type { Arrow, Ladder } from '@sip-capture/sip/ladder.ts'
import { shownText } from '../../format/shown-text.ts'
import { lookOf } from '../../format/status.ts'
import { clockTime } from '../../format/time.ts'
import { arrowWords, describeArrow, describeMedia, mediaWords, pauseText, sinceStart } from './arrow-words.ts'
import {
  type ArrowRow,
  type LadderGeometry,
  type LadderLayout,
  lineOffset,
  type MediaRow,
} from './ladder-layout.ts'

/** Colours repeat after this many legs; the numbers do not. */
const legColours = 8

export interface DrawingProps {
  readonly ladder: Ladder
  readonly layout: LadderLayout
  readonly geometry: LadderGeometry
  readonly isFolded: boolean
  /** Rows to draw. */
  readonly first: number
  readonly last: number
  /** Pixels of the layout that are the drawing's own 0. */
  readonly top: number
  readonly height: number
  readonly selectedRow: number
  readonly marked: readonly string[]
  /** Legs that are not this one recede; null: none does. */
  readonly onlyLeg: number | null
}

/**
 * The part of a ladder between two rows, as SVG. The colours come from `ladder.css`. Its parts are functions, not components: a scroll
 * draws hundreds of rows a second, and what that leaves to the garbage collector is what makes a frame late.
 */
export function LadderDrawing(props: DrawingProps) {
  const { ladder, layout, geometry, first, last, top, height } = props
  return (
    <>
      {ladder.lanes.map((lane, index) => (
        <line
          key={lane.key}
          class="lane-line"
          x1={geometry.laneX(index)}
          x2={geometry.laneX(index)}
          y1={0}
          y2={height}
        />
      ))}
      {layout.bands.map((band) =>
        band.toY < top || band.fromY > top + height ? null : mediaRails(band, props),
      )}
      {layout.rows
        .slice(first, last + 1)
        .map((row, place) =>
          row.kind === 'media' ? mediaLine(row, props) : arrowLine(row, first + place, props),
        )}
    </>
  )
}

function arrowLine(row: ArrowRow, at: number, props: DrawingProps) {
  const { ladder, geometry, isFolded } = props
  const { arrow } = row
  const y = row.y - props.top
  const words = describeArrow(arrow, ladder)
  const isMarked = props.marked.includes(arrow.id)
  const isSelected = at === props.selectedRow
  const left = geometry.isNarrow ? 4 : 8
  const leg =
    ladder.legs.length > 1 && arrow.ghost === null
      ? { number: ladder.legs[arrow.leg]?.number ?? 0, x: geometry.laneX(arrow.fromLane) }
      : null
  return (
    <g
      key={arrow.id}
      id={`arrow-${row.index}`}
      class={arrowClass(arrow, props, isSelected, isMarked)}
      role="option"
      aria-selected={isSelected}
      aria-label={`${words}${isMarked ? ' · marked for comparison' : ''}`}
      data-arrow={arrow.id}
    >
      <title>{words}</title>
      {row.pauseMicros > 0 && pauseLine(row, y, geometry)}
      <rect class="arrow-back" x={0} y={y} width={geometry.width} height={row.height} />
      {shaft(arrow, y, geometry)}
      {leg !== null && <circle class="leg-badge" cx={leg.x} cy={y + lineOffset} r={7.5} />}
      {/* All words in one text: each text is laid out by itself, and a scroll has a thousand of them a second to make. */}
      <text>
        {arrow.ghost === null && (
          <>
            <tspan class="arrow-time" x={left} y={y + 15}>
              {sinceStart(arrow.offsetMicros)}
            </tspan>
            <tspan class="arrow-clock" x={left} y={y + 28}>
              {geometry.isNarrow ? clockTime(arrow.atMicros).slice(0, 8) : clockTime(arrow.atMicros)}
            </tspan>
            {!geometry.isNarrow && (
              <tspan class="arrow-number" x={geometry.timeWidth} y={y + 15} text-anchor="end">
                #{arrow.number}
              </tspan>
            )}
          </>
        )}
        {isMarked && (
          <tspan class="arrow-mark" x={geometry.timeWidth - 2} y={y + 29} text-anchor="end">
            ◆
          </tspan>
        )}
        {label(arrow, y, geometry, isFolded)}
        {detail(arrow, y, geometry)}
        {leg !== null && (
          <tspan class="leg-number" x={leg.x} y={y + lineOffset + 3.5} text-anchor="middle">
            {leg.number}
          </tspan>
        )}
      </text>
    </g>
  )
}

function arrowClass(arrow: Arrow, props: DrawingProps, isSelected: boolean, isMarked: boolean): string {
  const { ladder, onlyLeg } = props
  return [
    'arrow',
    arrow.ghost === null ? `look-${lookOf(arrow)}` : 'is-ghost',
    ladder.legs.length > 1 ? legClass(arrow.leg) : '',
    arrow.repeatOf === null ? '' : 'is-retransmission',
    isSelected ? 'is-active' : '',
    isMarked ? 'is-marked' : '',
    onlyLeg !== null && arrow.leg !== onlyLeg ? 'is-aside' : '',
  ]
    .filter(Boolean)
    .join(' ')
}

export function legClass(leg: number): string {
  return `leg-${(leg % legColours) + 1}`
}

/** Line and tip of an arrow. Should a message ever go from a lane to itself, it is a loop beside the lane. */
function shaft(arrow: Arrow, y: number, geometry: LadderGeometry) {
  const [fromX, toX] = endsOf(arrow, geometry)
  const lineY = y + lineOffset
  const isSelf = fromX === toX
  const isForward = toX > fromX
  return (
    <>
      {isSelf ? (
        <path class="arrow-line" d={`M${fromX} ${lineY - 4}h28v8h-24`} fill="none" />
      ) : (
        <line class="arrow-line" x1={fromX} x2={isForward ? toX - 3 : toX + 3} y1={lineY} y2={lineY} />
      )}
      <path
        class="arrow-tip"
        d={isForward ? `M${toX} ${lineY}l-9 -4.5v9z` : `M${toX + (isSelf ? 2 : 0)} ${lineY}l9 -4.5v9z`}
      />
    </>
  )
}

function label(arrow: Arrow, y: number, geometry: LadderGeometry, isFolded: boolean) {
  const [fromX, toX] = endsOf(arrow, geometry)
  const isSelf = fromX === toX
  const room = isSelf ? 200 : Math.abs(toX - fromX) + (geometry.isNarrow ? 26 : -18)
  const words = arrowWords(arrow, isFolded)
  const cseq = arrow.cseq === null || arrow.ghost !== null ? '' : `CSeq ${arrow.cseq}`
  const hasCseqRoom =
    cseq !== '' && !geometry.isNarrow && (words.length + cseq.length) * charWidth + 16 < room
  return (
    <tspan
      class="arrow-label"
      x={isSelf ? fromX + 10 : (fromX + toX) / 2}
      y={y + 15}
      text-anchor={isSelf ? 'start' : 'middle'}
    >
      {fit(words, room, charWidth)}
      {hasCseqRoom && (
        <tspan class="arrow-cseq" dx={6}>
          {cseq}
        </tspan>
      )}
    </tspan>
  )
}

function detail(arrow: Arrow, y: number, geometry: LadderGeometry) {
  const text = arrow.ghost === null ? shownText(arrow.detail) : arrow.ghost.rfc
  if (text === '') return null
  const leftX = Math.min(...endsOf(arrow, geometry))
  const isChange = arrow.sdpChanges.length > 0
  return (
    <tspan class={isChange ? 'arrow-detail is-change' : 'arrow-detail'} x={leftX + 10} y={y + 37}>
      {fit(`${isChange ? '△ ' : ''}${text}`, geometry.width - leftX - 14, detailCharWidth)}
    </tspan>
  )
}

/** Where it leaves and where it arrives, in pixels from the left. */
function endsOf(arrow: Arrow, geometry: LadderGeometry): [number, number] {
  return [geometry.laneX(arrow.fromLane), geometry.laneX(arrow.toLane)]
}

function pauseLine(row: ArrowRow, y: number, geometry: LadderGeometry) {
  const middle = y - row.pauseHeight / 2
  const from = geometry.timeWidth
  return (
    <>
      <text class="pause-text" x={geometry.isNarrow ? 4 : 8} y={middle + 4}>
        {pauseText(row.pauseMicros)}
      </text>
      {row.isCut ? (
        <path class="pause-line" d={zigzag(from, geometry.width, middle)} fill="none" />
      ) : (
        <line class="pause-line" x1={from} x2={geometry.width - 8} y1={middle} y2={middle} />
      )}
    </>
  )
}

function zigzag(from: number, to: number, y: number): string {
  let path = `M${from} ${y}`
  for (let x = from + 6, up = true; x < to - 8; x += 6, up = !up) path += `L${x} ${up ? y - 4 : y + 4}`
  return path
}

/** A thin band beside each of the two lanes, as long as media flow. */
function mediaRails(band: LadderLayout['bands'][number], props: DrawingProps) {
  const { geometry, top, height, ladder } = props
  const { span } = band
  const from = Math.max(0, band.fromY - top)
  const to = Math.min(height, band.toY - top)
  const [callerX, calleeX] = [geometry.laneX(span.callerLane), geometry.laneX(span.calleeLane)]
  const [left, right] = [Math.min(callerX, calleeX), Math.max(callerX, calleeX)]
  const leg = ladder.legs.findIndex(({ callId }) => callId === span.callId)
  const isAside = props.onlyLeg !== null && leg !== props.onlyLeg
  return (
    <g key={span.beganById} class={`media-rails${isAside ? ' is-aside' : ''}`} aria-hidden="true">
      {[left + 2, right - 6].map((x) => (
        <rect key={x} class="media-rail" x={x} y={from} width={4} height={Math.max(0, to - from)} />
      ))}
    </g>
  )
}

function mediaLine(row: MediaRow, props: DrawingProps) {
  const { ladder, geometry, top } = props
  const { span } = row
  const y = row.y - top
  const [a, b] = [geometry.laneX(span.callerLane), geometry.laneX(span.calleeLane)]
  const [left, right] = [Math.min(a, b), Math.max(a, b)]
  const leg = ladder.legs.findIndex(({ callId }) => callId === span.callId)
  const isAside = props.onlyLeg !== null && leg !== props.onlyLeg
  const room = right - left + (geometry.isNarrow ? 20 : -16)
  const words = mediaWords(span)
  const long = [' · by SDP, not captured', ' (by SDP)', '']
    .map((source) => words + source)
    .find((text) => text.length * detailCharWidth < room)
  return (
    <g key={`media ${span.beganById}`} class={`media${isAside ? ' is-aside' : ''}`}>
      <title>{describeMedia(span, ladder)}</title>
      <rect class="media-band" x={left} y={y + 17} width={right - left} height={5} />
      <text class="media-text" x={(left + right) / 2} y={y + 13} text-anchor="middle">
        {long ?? fit(words, room, detailCharWidth)}
      </text>
    </g>
  )
}

/** SVG text does not wrap: about this many pixels a character. */
const charWidth = 6.3
const detailCharWidth = 5.9

function fit(text: string, room: number, width: number): string {
  const chars = Math.max(6, Math.floor(room / width))
  return text.length <= chars ? text : `${text.slice(0, chars - 1)}…`
}
