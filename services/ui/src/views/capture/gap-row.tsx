import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { clockTime, toMicros } from '../../format/time.ts'
import type { GapEntry } from '../../state/row-store.ts'

/** A loss is a row on the screen. */
export function GapRow(props: {
  gap: GapEntry
  revision: number
  top: number
  index: number
  active: boolean
  onFill: (gap: GapEntry) => void
}) {
  const { gap, top, index, active, onFill } = props
  return (
    <div
      id={`row-${gap.key}`}
      class={`row row-gap gap-${gap.state}${active ? ' is-active' : ''}`}
      role="row"
      aria-rowindex={index + 1}
      style={{ transform: `translateY(${top}px)` }}
    >
      <span class="gap-text" role="gridcell">
        <span aria-hidden="true">⋯ </span>
        {gap.state === 'filled'
          ? `${plural(gap.filled, 'row')} fetched for ${clockTime(toMicros(gap.from))} to ${clockTime(toMicros(gap.to))}`
          : `${gap.missed > 0 ? plural(gap.missed, 'row') : 'Rows'} not sent to this page, ${clockTime(toMicros(gap.from))} to ${clockTime(toMicros(gap.to))}: ${shownText(gap.reason)}`}
        {gap.problem !== '' && ` (${shownText(gap.problem)})`}
      </span>
      {gap.state !== 'filled' && (
        <button type="button" class="button" disabled={gap.state === 'filling'} onClick={() => onFill(gap)}>
          {gap.state === 'filling' ? 'Filling …' : gap.state === 'failed' ? 'Try again' : 'Fill'}
        </button>
      )}
    </div>
  )
}
