import { Component } from 'preact'
import { LadderDrawing, type DrawingProps } from './ladder-drawing.tsx'
import { topOf } from './ladder-layout.ts'

/** Rows of a block: a quarter of a screen, so that even a fast scroll makes few in one frame. */
const blockRows = 8

type BlockProps = Omit<DrawingProps, 'top' | 'height'>

/** The blocks that hold these rows: first and last row of each. */
export function blocksOf(first: number, last: number, rows: number): { first: number; last: number }[] {
  const blocks = []
  for (let begin = first - (first % blockRows); begin <= last; begin += blockRows)
    blocks.push({ first: begin, last: Math.min(begin + blockRows, rows) - 1 })
  return blocks
}

/**
 * Some rows of a ladder, as a drawing of its own. It depends on nothing but its own rows, so that while one scrolls what was
 * drawn stays as it is, and only what comes into reach is made.
 */
export class LadderBlock extends Component<BlockProps> {
  override shouldComponentUpdate(next: BlockProps): boolean {
    const before = this.props
    return (Object.keys(next) as (keyof BlockProps)[]).some((name) => next[name] !== before[name])
  }

  override render(props: BlockProps) {
    const { layout, geometry, first, last } = props
    const [begin, end] = [layout.rows[first], layout.rows[last]]
    if (begin === undefined || end === undefined) return null
    const top = topOf(begin)
    const height = end.y + end.height - top
    return (
      <svg
        class="ladder-svg"
        width={geometry.width}
        height={height}
        style={{ top: `${top}px` }}
        role="presentation"
      >
        <LadderDrawing {...props} top={top} height={height} />
      </svg>
    )
  }
}
