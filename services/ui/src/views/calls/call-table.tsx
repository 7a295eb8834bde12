import { useSignal } from '@preact/signals'
import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks'
import { Download } from '../../components/download.tsx'
import { useHeldScroll } from '../../components/held-scroll.ts'
import { phoneQuery, useMediaQuery } from '../../components/media-query.ts'
import { useVirtualRows } from '../../components/virtual-rows.ts'
import { callStateLooks } from '../../format/call-state.ts'
import { countText, plural } from '../../format/number.ts'
import type { CallsModel } from '../../state/calls.ts'
import { callPath } from '../../state/open-call.ts'
import { type CellContext, callColumns } from './call-columns.tsx'

const rowHeight = 26
const cardHeight = 58

/** The call log, newest first. At the top it follows; scrolled away the rows under the eye stay. */
export function CallTable({ calls, onOpen }: { calls: CallsModel; onOpen: (row: CallRow) => void }) {
  const scroller = useRef<HTMLDivElement>(null)
  const phone = useMediaQuery(phoneQuery)
  const height = phone ? cardHeight : rowHeight
  const version = calls.version.value
  const { items } = calls.rows
  const virtual = useVirtualRows({
    count: items.length,
    rowHeight: height,
    scroller,
    headHeight: phone ? 0 : rowHeight,
  })
  const above = useHeldScroll({
    scroller,
    rowHeight: height,
    isNewestFirst: true,
    keyAt: (index) => items[index]?.id,
    indexOf: (id) => items.findIndex((row) => row.id === id),
  })
  const activeId = calls.activeId.value
  useLayoutEffect(() => {
    const index = items.findIndex((row) => row.id === activeId)
    if (index >= 0) virtual.scrollToIndex(index)
  }, [activeId])

  const nowMillis = useSignal(Date.now())
  useEffect(() => {
    const timer = setInterval(() => {
      nowMillis.value = Date.now()
    }, 1000)
    return () => clearInterval(timer)
  }, [])
  const context = useMemo<CellContext>(() => ({ nowMillis, todayMillis: Date.now() }), [version])

  return (
    <div class="table-area calls-table">
      <div
        ref={scroller}
        class="table-scroll"
        role="grid"
        tabIndex={0}
        aria-label="Calls, newest first"
        aria-rowcount={items.length}
        aria-colcount={callColumns.length}
        aria-activedescendant={activeId === null ? undefined : `call-${activeId}`}
        onScroll={(event) => {
          const { scrollTop, clientHeight, scrollHeight } = event.currentTarget
          if (scrollTop + clientHeight > scrollHeight - 40 * height) void calls.loadOlder()
        }}
      >
        <div class="table-head" role="row">
          {callColumns.map(({ id, label, about, isNumeric }) => (
            <div
              key={id}
              class={`cell cell-${id}${isNumeric === true ? ' is-numeric' : ''}`}
              role="columnheader"
              title={about}
            >
              {label}
            </div>
          ))}
        </div>
        <div class="table-rows" role="rowgroup" style={{ height: `${virtual.totalHeight}px` }}>
          {virtual.items.map(({ index, start }) => {
            const row = items[index]
            return row === undefined ? null : (
              <CallRowView
                key={row.id}
                row={row}
                top={start}
                index={index}
                active={row.id === activeId}
                context={context}
                onOpen={onOpen}
              />
            )
          })}
        </div>
      </div>
      {above > 0 && (
        <button type="button" class="new-above" onClick={() => scroller.current?.scrollTo({ top: 0 })}>
          ↑ {plural(above, 'new call')}
        </button>
      )}
      <TableFoot calls={calls} />
    </div>
  )
}

function CallRowView(props: {
  row: CallRow
  top: number
  index: number
  active: boolean
  context: CellContext
  onOpen: (row: CallRow) => void
}) {
  const { row, top, index, active, context, onOpen } = props
  // Drawn anew only for other news of the call: a row that merely moves costs one transform, a second that passes one text.
  const cells = useMemo(
    () =>
      callColumns.map(({ id, isNumeric, title, cell }) => (
        <span
          key={id}
          class={`cell cell-${id}${isNumeric === true ? ' is-numeric num' : ''}`}
          role="gridcell"
          title={title?.(row)}
        >
          {cell(row, context)}
        </span>
      )),
    [row],
  )
  return (
    <div
      id={`call-${row.id}`}
      class={`row look-row-${callStateLooks[row.state].look}${active ? ' is-active' : ''}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={active}
      data-call-id={row.callIds[0]}
      data-state={row.state}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onOpen(row)}
    >
      {cells}
    </div>
  )
}

function TableFoot({ calls }: { calls: CallsModel }) {
  void calls.version.value
  const { items, letGo, capacity } = calls.rows
  const isLoading = calls.loading.value
  const active = items.find((row) => row.id === calls.activeId.value)
  return (
    <div class="table-foot" aria-live="off">
      <span class="num" data-testid="call-count">
        {plural(items.length, 'call')}
        {calls.nextCursor.value !== null && ' so far'}
      </span>
      {letGo > 0 && (
        <span class="warn">
          {countText(letGo)} older let go (the page holds {countText(capacity)}; all are in the log)
        </span>
      )}
      {active !== undefined && (
        <Download
          path={callPath({ callId: active.callIds[0] ?? active.id, capture: active.capture }, '/pcap', {
            format: 'pcapng',
          })}
          exportFormat="pcapng"
        >
          Export this call (e)
        </Download>
      )}
      {calls.nextCursor.value !== null && (
        <button type="button" class="link" disabled={isLoading} onClick={() => void calls.loadOlder()}>
          {isLoading ? 'loading …' : 'load older'}
        </button>
      )}
    </div>
  )
}
