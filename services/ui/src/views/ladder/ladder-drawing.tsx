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
  readonly onSelect?: (id: string) => void
}

/** The part of a ladder between two rows, as SVG. The colours come from `ladder.css`. */
export function LadderDrawing(props: DrawingProps) {
  const { ladder, layout, geometry, first, last, top, height } = props
  const hasLegs = ladder.legs.length > 1
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
        band.toY < top || band.fromY > top + height ? null : (
          <MediaRails key={band.span.beganById} band={band} {...props} />
        ),
      )}
      {layout.rows
        .slice(first, last + 1)
        .map((row, offset) =>
          row.kind === 'media' ? (
            <MediaLine key={`media ${row.span.beganById}`} row={row} {...props} />
          ) : (
            <ArrowLine
              key={row.arrow.id}
              row={row}
              {...props}
              hasLegs={hasLegs}
              isSelected={first + offset === props.selectedRow}
            />
          ),
        )}
    </>
  )
}

function ArrowLine(props: DrawingProps & { row: ArrowRow; hasLegs: boolean; isSelected: boolean }) {
  const { row, ladder, geometry, hasLegs, isSelected, isFolded, onSelect } = props
  const { arrow } = row
  const y = row.y - props.top
  const words = describeArrow(arrow, ladder)
  const isMarked = props.marked.includes(arrow.id)
  const left = geometry.isNarrow ? 4 : 8
  return (
    <g
      id={`arrow-${row.index}`}
      class={arrowClass(arrow, props, isSelected, isMarked)}
      role="option"
      aria-selected={isSelected}
      aria-label={`${words}${isMarked ? ' · marked for comparison' : ''}`}
      data-arrow={arrow.id}
      {...(onSelect === undefined ? {} : { onClick: () => onSelect(arrow.id) })}
    >
      <title>{words}</title>
      {row.pauseMicros > 0 && <Pause row={row} y={y} geometry={geometry} />}
      <rect class="arrow-back" x={0} y={y} width={geometry.width} height={row.height} />
      {arrow.ghost === null && (
        <>
          <text class="arrow-time" x={left} y={y + 15}>
            {sinceStart(arrow.offsetMicros)}
          </text>
          <text class="arrow-clock" x={left} y={y + 28}>
            {geometry.isNarrow ? clockTime(arrow.atMicros).slice(0, 8) : clockTime(arrow.atMicros)}
          </text>
          {!geometry.isNarrow && (
            <text class="arrow-number" x={geometry.timeWidth} y={y + 15} text-anchor="end">
              #{arrow.number}
            </text>
          )}
        </>
      )}
      {isMarked && (
        <text class="arrow-mark" x={geometry.timeWidth - 2} y={y + 29} text-anchor="end">
          ◆
        </text>
      )}
      <Shaft arrow={arrow} y={y} geometry={geometry} isFolded={isFolded} />
      {hasLegs && arrow.ghost === null && (
        <LegBadge
          number={ladder.legs[arrow.leg]?.number ?? 0}
          x={geometry.laneX(arrow.fromLane)}
          y={y + lineOffset}
        />
      )}
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

function LegBadge({ number, x, y }: { number: number; x: number; y: number }) {
  return (
    <>
      <circle class="leg-badge" cx={x} cy={y} r={7.5} />
      <text class="leg-number" x={x} y={y + 3.5} text-anchor="middle">
        {number}
      </text>
    </>
  )
}

/** Line, tip and words of an arrow. Should a message ever go from a lane to itself, it is a loop beside the lane. */
function Shaft(props: { arrow: Arrow; y: number; geometry: LadderGeometry; isFolded: boolean }) {
  const { arrow, y, geometry, isFolded } = props
  const [fromX, toX] = [geometry.laneX(arrow.fromLane), geometry.laneX(arrow.toLane)]
  const lineY = y + lineOffset
  const isSelf = fromX === toX
  const isForward = toX > fromX
  const span = Math.abs(toX - fromX)
  const room = isSelf ? 200 : span + (geometry.isNarrow ? 26 : -18)
  const words = arrowWords(arrow, isFolded)
  const cseq = arrow.cseq === null || arrow.ghost !== null ? '' : `CSeq ${arrow.cseq}`
  const hasCseqRoom =
    cseq !== '' && !geometry.isNarrow && (words.length + cseq.length) * charWidth + 16 < room
  const leftX = Math.min(fromX, toX)
  return (
    <>
      <text
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
      </text>
      {isSelf ? (
        <path class="arrow-line" d={`M${fromX} ${lineY - 4}h28v8h-24`} fill="none" />
      ) : (
        <line class="arrow-line" x1={fromX} x2={isForward ? toX - 3 : toX + 3} y1={lineY} y2={lineY} />
      )}
      <path
        class="arrow-tip"
        d={isForward ? `M${toX} ${lineY}l-9 -4.5v9z` : `M${toX + (isSelf ? 2 : 0)} ${lineY}l9 -4.5v9z`}
      />
      <Detail arrow={arrow} x={leftX + 10} y={y + 37} room={geometry.width - leftX - 14} />
    </>
  )
}

function Detail({ arrow, x, y, room }: { arrow: Arrow; x: number; y: number; room: number }) {
  const text = arrow.ghost === null ? shownText(arrow.detail) : arrow.ghost.rfc
  if (text === '') return null
  const isChange = arrow.sdpChanges.length > 0
  return (
    <text class={isChange ? 'arrow-detail is-change' : 'arrow-detail'} x={x} y={y}>
      {fit(`${isChange ? '△ ' : ''}${text}`, room, detailCharWidth)}
    </text>
  )
}

function Pause({ row, y, geometry }: { row: ArrowRow; y: number; geometry: LadderGeometry }) {
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
function MediaRails(props: DrawingProps & { band: LadderLayout['bands'][number] }) {
  const { band, geometry, top, height, ladder } = props
  const { span } = band
  const from = Math.max(0, band.fromY - top)
  const to = Math.min(height, band.toY - top)
  const [callerX, calleeX] = [geometry.laneX(span.callerLane), geometry.laneX(span.calleeLane)]
  const [left, right] = [Math.min(callerX, calleeX), Math.max(callerX, calleeX)]
  const leg = ladder.legs.findIndex(({ callId }) => callId === span.callId)
  const isAside = props.onlyLeg !== null && leg !== props.onlyLeg
  return (
    <g class={`media-rails${isAside ? ' is-aside' : ''}`} aria-hidden="true">
      {[left + 2, right - 6].map((x) => (
        <rect key={x} class="media-rail" x={x} y={from} width={4} height={Math.max(0, to - from)} />
      ))}
    </g>
  )
}

function MediaLine(props: DrawingProps & { row: MediaRow }) {
  const { row, ladder, geometry, top } = props
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
    <g class={`media${isAside ? ' is-aside' : ''}`}>
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
