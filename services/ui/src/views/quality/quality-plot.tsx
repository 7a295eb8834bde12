import type { MediaQuality, QualityPoint } from '@sip-capture/contract/rest/quality.ts'
import { phoneQuery, useMediaQuery } from '../../components/media-query.ts'
import { clockTime, toMicros } from '../../format/time.ts'

const [wideWidth, phoneWidth] = [560, 366]
const rowHeight = 44
const left = 84
const right = 46

interface Track {
  readonly name: string
  readonly unit: string
  /** The top of the plot is at least this: a flat line of nothing must not look like a mountain range. */
  readonly least: number
  readonly valueOf: (point: QualityPoint) => number | null
}

const tracks: readonly Track[] = [
  { name: 'Jitter', unit: 'ms', least: 20, valueOf: (point) => point.jitterMillis },
  { name: 'Loss', unit: '%', least: 5, valueOf: (point) => point.lossPercent },
  { name: 'Round trip', unit: 'ms', least: 100, valueOf: (point) => point.roundTripMillis },
]

/** Jitter, loss and round trip over the same time, one below the other: each with its own scale, all said in words too. */
export function QualityPlot({ stream }: { stream: MediaQuality }) {
  const { points } = stream
  // Drawn at its size, so that its text is as large as all other.
  const width = useMediaQuery(phoneQuery) ? phoneWidth : wideWidth
  const shown = tracks.filter(({ valueOf }) => points.some((point) => valueOf(point) !== null))
  if (points.length < 2 || shown.length === 0)
    return <p class="faint">A plot needs two reports; there {points.length === 1 ? 'is one' : 'is none'}.</p>
  const fromMicros = toMicros(points[0]?.at ?? '')
  const toMicrosAt = toMicros(points.at(-1)?.at ?? '')
  const span = Math.max(1, toMicrosAt - fromMicros)
  const x = (point: QualityPoint) =>
    left + ((toMicros(point.at) - fromMicros) / span) * (width - left - right)
  const height = shown.length * rowHeight + 18
  return (
    <svg
      class="quality-plot"
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={shown.map((track) => sentenceOf(track, points)).join('; ')}
    >
      {shown.map((track, row) => (
        <TrackRow key={track.name} track={track} points={points} top={row * rowHeight} x={x} width={width} />
      ))}
      <text x={left} y={height - 4} class="plot-time">
        {clockTime(fromMicros).slice(0, 8)}
      </text>
      <text x={width - right} y={height - 4} class="plot-time" text-anchor="end">
        {clockTime(toMicrosAt).slice(0, 8)}
      </text>
    </svg>
  )
}

function TrackRow(props: {
  track: Track
  points: readonly QualityPoint[]
  top: number
  x: (point: QualityPoint) => number
  width: number
}) {
  const { track, points, top, x, width } = props
  const most = Math.max(...points.map((point) => track.valueOf(point) ?? 0))
  const scale = Math.max(track.least, most)
  const bottom = top + rowHeight - 6
  const y = (value: number) => bottom - (value / scale) * (rowHeight - 12)
  const path = points
    .flatMap((point) => {
      const value = track.valueOf(point)
      return value === null ? [] : `${x(point).toFixed(1)},${y(value).toFixed(1)}`
    })
    .join(' ')
  return (
    <g>
      <text x={0} y={bottom - 12} class="plot-name">
        {track.name}
      </text>
      <line x1={left} x2={width - right} y1={bottom} y2={bottom} class="plot-floor" />
      <polyline points={path} class="plot-line" />
      {points.map((point) => {
        const value = track.valueOf(point)
        return value === null ? null : (
          <circle key={point.at} cx={x(point)} cy={y(value)} r={points.length > 60 ? 1 : 2} class="plot-dot">
            <title>{`${clockTime(toMicros(point.at)).slice(0, 8)}: ${value.toFixed(1)} ${track.unit}`}</title>
          </circle>
        )
      })}
      <text x={width - right + 4} y={top + 12} class="plot-time">
        {scale >= 10 ? scale.toFixed(0) : scale.toFixed(1)} {track.unit}
      </text>
    </g>
  )
}

function sentenceOf({ name, unit, valueOf }: Track, points: readonly QualityPoint[]): string {
  const values = points.flatMap((point) => valueOf(point) ?? [])
  return `${name} from ${Math.min(...values).toFixed(1)} to ${Math.max(...values).toFixed(1)} ${unit}`
}
