import { useComputed } from '@preact/signals'
import { useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { useHeldScroll } from '../../components/held-scroll.ts'
import { phoneQuery, useMediaQuery } from '../../components/media-query.ts'
import { useVirtualRows } from '../../components/virtual-rows.ts'
import { countText, plural } from '../../format/number.ts'
import { columns } from '../../state/attributes.ts'
import type { CaptureModel } from '../../state/capture.ts'
import type { Entry, GapEntry, MessageEntry } from '../../state/row-store.ts'
import { GapRow } from './gap-row.tsx'
import { MessageRowView } from './message-row.tsx'

export const rowHeight = 26
export const cardHeight = 58

/** The virtual table, newest on top. At the top it follows the traffic; scrolled away it holds still. */
export function MessageTable(props: { capture: CaptureModel; onOpen: (entry: MessageEntry) => void }) {
  const { capture, onOpen } = props
  const scroller = useRef<HTMLDivElement>(null)
  const phone = useMediaQuery(phoneQuery)
  const height = phone ? cardHeight : rowHeight
  const { entries } = capture.shown.value
  const { descending } = capture.sort.value
  const count = entries.length
  const virtual = useVirtualRows({ count, rowHeight: height, scroller, headHeight: phone ? 0 : rowHeight })
  const at = (index: number): Entry | undefined => entries[descending ? count - 1 - index : index]

  const above = useHeldScroll({
    scroller,
    rowHeight: height,
    isNewestFirst: descending,
    keyAt: at,
    indexOf(entry) {
      const index = entries.lastIndexOf(entry)
      return index < 0 ? -1 : descending ? count - 1 - index : index
    },
  })
  const activeKey = capture.activeKey.value
  useScrollToActive(capture, virtual.scrollToIndex, entries, descending)

  // Rows are recycled: an entry keeps its slot while it is visible, and a new one takes the slot of one that left.
  const slots = useRef(1)
  slots.current = Math.max(slots.current, virtual.items.length)
  const shift = descending ? capture.store.letGo + count : 0
  const marked = useComputed(() => new Set(capture.marked.value.map((entry) => entry.key))).value
  const today = useMemo(() => Date.now(), [capture.version.value])

  return (
    <div class={`table-area${capture.filter.value.mode === 'history' ? ' is-dated' : ''}`}>
      <div
        ref={scroller}
        class="table-scroll"
        role="grid"
        tabIndex={0}
        aria-label="SIP messages, newest first"
        aria-rowcount={count}
        aria-colcount={columns.length}
        aria-activedescendant={activeKey === null ? undefined : `row-${activeKey}`}
        onScroll={(event) => {
          const el = event.currentTarget
          if (el.scrollTop + el.clientHeight > el.scrollHeight - 40 * height) loadMore(capture)
        }}
      >
        <TableHead capture={capture} />
        <div class="table-rows" role="rowgroup" style={{ height: `${virtual.totalHeight}px` }}>
          {virtual.items.map((item) => {
            const entry = at(item.index)
            if (entry === undefined) return null
            const slot =
              (((descending ? shift - item.index : item.index) % slots.current) + slots.current) %
              slots.current
            const common = { top: item.start, index: item.index, active: entry.key === activeKey }
            return entry.kind === 'gap' ? (
              <GapRow
                key={slot}
                {...common}
                gap={entry}
                revision={entry.revision}
                onFill={(gap: GapEntry) => void capture.fillGap(gap)}
              />
            ) : (
              <MessageRowView
                key={slot}
                {...common}
                entry={entry}
                revision={entry.revision}
                marked={marked.has(entry.key)}
                nowMillis={today}
                onOpen={onOpen}
              />
            )
          })}
        </div>
      </div>
      {above > 0 && (
        <button type="button" class="new-above" onClick={() => scroller.current?.scrollTo({ top: 0 })}>
          ↑ {plural(above, 'new row')}
        </button>
      )}
      <TableFoot capture={capture} count={count} />
    </div>
  )
}

/** Inside the scrolling element, so that heads and cells share one width. */
function TableHead({ capture }: { capture: CaptureModel }) {
  const { by, descending } = capture.sort.value
  return (
    <div class="table-head" role="row">
      {columns.map(({ id, label }) => (
        <div
          key={id}
          class={`cell cell-${id}`}
          role="columnheader"
          aria-sort={by === id ? (descending ? 'descending' : 'ascending') : 'none'}
        >
          <button
            type="button"
            onClick={() => capture.toggleSort(id)}
            title={`Sort by ${label.toLowerCase()}`}
          >
            {label}
            {by === id && <span aria-hidden="true">{descending ? ' ↓' : ' ↑'}</span>}
          </button>
        </div>
      ))}
    </div>
  )
}

function loadMore(capture: CaptureModel): void {
  if (capture.sort.peek().by === 'time') void capture.loadOlder()
}

/** How many rows, how many were let go or hidden, and whether older ones can be had. */
function TableFoot({ capture, count }: { capture: CaptureModel; count: number }) {
  const { hiddenNoise } = capture.shown.value
  const letGo = capture.letGo
  const cursor = capture.nextCursor.value
  return (
    <div class="table-foot" aria-live="off">
      <span class="num" data-testid="row-count">
        {plural(count, 'row')}
      </span>
      {hiddenNoise > 0 && (
        <button
          type="button"
          class="link"
          onClick={() => capture.setFilter({ ...capture.filter.peek(), hideNoise: false })}
        >
          {countText(hiddenNoise)} OPTIONS/REGISTER hidden · show
        </button>
      )}
      {letGo > 0 && (
        <span class="warn" title="They are in the history: choose a time range to see them">
          {countText(letGo)} older let go (the page holds {countText(capture.store.capacity)}; all are in the
          history)
        </span>
      )}
      {cursor !== null && (
        <button
          type="button"
          class="link"
          disabled={capture.loading.value}
          onClick={() => void capture.loadOlder()}
        >
          {capture.loading.value ? 'loading …' : 'load older'}
        </button>
      )}
    </div>
  )
}

/** Moves the active row into view when it changes, not when rows arrive. */
function useScrollToActive(
  capture: CaptureModel,
  scrollToIndex: (index: number) => void,
  entries: readonly Entry[],
  descending: boolean,
): void {
  const key = capture.activeKey.value
  useLayoutEffect(() => {
    if (key === null) return
    const index = entries.findIndex((entry) => entry.key === key)
    if (index >= 0) scrollToIndex(descending ? entries.length - 1 - index : index)
  }, [key])
}
