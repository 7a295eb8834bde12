import type { Ladder } from '@sip-capture/sip/ladder.ts'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'
import { painted } from '../../state/slices.ts'
import { hostsText, laneTitle } from '../ladder/arrow-words.ts'
import { blocksOf, LadderBlock } from '../ladder/ladder-block.tsx'
import { ladderGeometry, layOutLadder, type LadderRow, rowsWithin, topOf } from '../ladder/ladder-layout.ts'
import { overscan, useScrollWindow } from '../ladder/scroll-window.ts'

const headHeight = 46
const pageRows = 10

export interface LadderOptions {
  readonly isFolded: boolean
  readonly isToScale: boolean
  /** Index of the leg that is looked at; null: all. */
  readonly onlyLeg: number | null
}

/**
 * The ladder of a call: a lane a host, an arrow a message. Only what is near the window exists in the document, so a
 * dialog of ten thousand messages opens as fast as one of ten.
 */
export function SipLadderPanel(props: {
  ladder: Ladder
  /** False while messages are still to come. */
  isWhole: boolean
  options: LadderOptions
  selectedId: string | null
  /** Ids of messages that are to be compared. */
  marked: readonly string[]
  onSelect: (id: string) => void
  onOpen: () => void
  onMark: (id: string) => void
  onUnmark: () => void
}) {
  const { ladder, isWhole, options, selectedId, marked } = props
  const { lanes, arrows } = ladder
  const { isFolded, isToScale, onlyLeg } = options
  const scroller = useRef<HTMLDivElement>(null)
  /** What End chose while messages are missing; null: nothing is to follow the end. */
  const endSoFar = useRef<string | null>(null)
  const seen = useScrollWindow(scroller)
  const reach = useReach()
  const geometry = useMemo(() => ladderGeometry(seen.width, lanes.length), [seen.width, lanes.length])
  const layout = useMemo(() => layOutLadder(ladder, { isFolded, isToScale }), [ladder, isFolded, isToScale])
  const { rows } = layout
  const selectedRow = selectedId === null ? -1 : layout.rowOf(selectedId)

  useEffect(() => {
    const row = rows[selectedRow]
    if (row !== undefined && scroller.current !== null) reveal(scroller.current, row)
  }, [selectedRow, layout])

  const { first, last } = rowsWithin(rows, seen.top - reach, seen.top + seen.height + reach)
  const blocks = seen.isMeasured ? blocksOf(first, last, rows.length) : []
  const selectRow = (row: LadderRow | undefined) => {
    if (row?.kind === 'arrow') props.onSelect(row.arrow.id)
  }
  const toEnd = () => {
    const row = nextArrow(rows, rows.length, -1)
    endSoFar.current = row?.kind === 'arrow' && !isWhole ? row.arrow.id : null
    selectRow(row)
  }
  // Goes on to the real end as the rest comes, unless something else was chosen meanwhile.
  useEffect(() => {
    if (endSoFar.current === null) return
    if (endSoFar.current === selectedId) toEnd()
    else endSoFar.current = null
  }, [layout, isWhole])
  const move = (step: number) => selectRow(nextArrow(rows, selectedRow, step))
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => move(1),
    j: () => move(1),
    ArrowUp: () => move(-1),
    k: () => move(-1),
    PageDown: () => move(pageRows),
    PageUp: () => move(-pageRows),
    Home: () => selectRow(nextArrow(rows, -1, 1)),
    End: toEnd,
    Enter: props.onOpen,
    ' ': () => {
      if (selectedId !== null) props.onMark(selectedId)
    },
    ...(marked.length > 0 ? { Escape: props.onUnmark } : {}),
  }

  if (arrows.length === 0)
    return <p class="notice">No message of this call could be drawn; see the list of messages.</p>
  const active = rows[selectedRow]
  return (
    <div
      ref={scroller}
      class="ladder"
      data-testid="ladder"
      role="listbox"
      tabIndex={0}
      aria-label={`Ladder: ${ladder.sightings.length} messages between ${lanes.length} hosts. Arrow keys move, Enter opens, Space marks for comparison.`}
      aria-activedescendant={
        active?.kind === 'arrow' && selectedRow >= first && selectedRow <= last
          ? `arrow-${active.index}`
          : undefined
      }
      onKeyDown={(event) => {
        if (event.ctrlKey || event.metaKey || event.altKey) return
        const act = keys[event.key]
        if (act === undefined) return
        event.preventDefault()
        event.stopPropagation()
        act()
      }}
    >
      <div class="ladder-head" style={{ width: `${geometry.width}px` }}>
        <span class="ladder-head-time" style={{ width: `${geometry.timeWidth}px` }}>
          Time
        </span>
        {lanes.map((lane) => (
          <span
            key={lane.key}
            class={`lane-head${lane.isPbx ? ' is-pbx' : ''}`}
            style={{ width: `${geometry.laneWidth}px` }}
            title={laneTitle(lane)}
          >
            <b>{shownText(lane.name || lane.hosts[0]?.address || 'not known')}</b>
            <span class="mono faint">{hostsText(lane.hosts, lane.name !== '')}</span>
          </span>
        ))}
      </div>
      <div
        class="ladder-canvas"
        style={{ height: `${layout.height}px`, width: `${geometry.width}px` }}
        onClick={({ target }) => {
          const id = target instanceof Element && target.closest('.arrow')?.getAttribute('data-arrow')
          if (id) props.onSelect(id)
        }}
      >
        {blocks.map((block) => (
          <LadderBlock
            key={block.first}
            {...block}
            {...{ ladder, layout, geometry, isFolded, marked, onlyLeg }}
            selectedRow={selectedRow >= block.first && selectedRow <= block.last ? selectedRow : -1}
          />
        ))}
      </div>
    </div>
  )
}

/** What can be seen is drawn first, and what is around it when that is on the screen. */
function useReach(): number {
  const [reach, setReach] = useState(0)
  useEffect(() => {
    let isGone = false
    const widen = async () => {
      await painted()
      if (!isGone) setReach(overscan)
    }
    void widen()
    return () => {
      isGone = true
    }
  }, [])
  return reach
}

/** The arrow `step` rows on; at the ends the outermost. Rows of media are no stops. */
function nextArrow(rows: readonly LadderRow[], from: number, step: number): LadderRow | undefined {
  const direction = Math.sign(step)
  let found: LadderRow | undefined
  let left = Math.abs(step)
  for (let at = from + direction; at >= 0 && at < rows.length && left > 0; at += direction) {
    const row = rows[at]
    if (row?.kind !== 'arrow') continue
    found = row
    left -= 1
  }
  return found
}

/** Scrolls no further than needed for the whole row, with its pause, to be seen below the head. */
function reveal(scroller: HTMLElement, row: LadderRow): void {
  const top = topOf(row)
  const bottom = row.y + row.height + headHeight
  if (top < scroller.scrollTop) scroller.scrollTop = top
  else if (bottom > scroller.scrollTop + scroller.clientHeight)
    scroller.scrollTop = bottom - scroller.clientHeight
}
