import { useMemo } from 'preact/hooks'
import { LadderDrawing, type DrawingProps } from './ladder-drawing.tsx'
import { topOf } from './ladder-layout.ts'

/** Rows of a block: half a screen. */
export const blockRows = 16

/**
 * The `index`-th block of a ladder's rows, a drawing of its own. It depends on nothing but its own rows, so that while one
 * scrolls what was drawn stays as it is, and only what comes into reach is made.
 */
export function LadderBlock(
  props: Omit<DrawingProps, 'first' | 'last' | 'top' | 'height'> & { index: number },
) {
  const { index, ladder, layout, geometry, isFolded, selectedRow, marked, onlyLeg, onSelect } = props
  const first = index * blockRows
  const last = Math.min(first + blockRows, layout.rows.length) - 1
  const ownSelected = selectedRow >= first && selectedRow <= last ? selectedRow : -1
  // The same element as before is not looked into.
  return useMemo(() => {
    const [begin, end] = [layout.rows[first], layout.rows[last]]
    if (begin === undefined || end === undefined) return null
    const top = topOf(begin)
    const height = end.y + end.height - top
    return (
      <svg
        class="ladder-svg"
        width={geometry.width}
        height={height}
        style={{ transform: `translateY(${top}px)` }}
        role="presentation"
      >
        <LadderDrawing
          {...{ ladder, layout, geometry, isFolded, marked, onlyLeg, first, last, top, height }}
          selectedRow={ownSelected}
          {...(onSelect === undefined ? {} : { onSelect })}
        />
      </svg>
    )
  }, [first, last, ladder, layout, geometry, isFolded, ownSelected, marked, onlyLeg, onSelect])
}
