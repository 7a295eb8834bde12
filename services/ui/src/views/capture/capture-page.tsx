import { useComputed } from '@preact/signals'
import { useEffect, useRef, useState } from 'preact/hooks'
import { useLazyPart } from '../../components/lazy-part.ts'
import { phoneQuery, useMediaQuery } from '../../components/media-query.ts'
import { Splitter } from '../../components/splitter.tsx'
import { plainTitle, shownText } from '../../format/shown-text.ts'
import { addWord, emptyFilter, readFilter } from '../../state/capture-filter.ts'
import type { CaptureModel } from '../../state/capture.ts'
import { type DeepLink, readDeepLink, withoutOpen } from '../../state/deep-link.ts'
import type { LinkState } from '../../state/live-feed.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import type { OpenCallModel } from '../../state/open-call.ts'
import type { MessageEntry } from '../../state/row-store.ts'
import type { SourcesModel } from '../../state/sources.ts'
import { CaptureToolbar } from './capture-toolbar.tsx'
import { EmptyState } from './empty-state.tsx'
import { FilterBar } from './filter-bar.tsx'
import { FilterChips } from './filter-chips.tsx'
import { MessageTable } from './message-table.tsx'
import { type Shortcut, useShortcuts } from './shortcuts.ts'

const maxTrunkNames = 200
const loadDetail = () => import('./detail-pane.tsx')
const loadLink = () => import('../resolve/link-pane.tsx')
const loadExportDialog = () => import('./export-dialog.tsx')
const loadImportBanner = () => import('./import-banner.tsx')
const loadKeysDialog = () => import('./keys-dialog.tsx')
const loadCompare = () => import('./compare-view.tsx')

/** `/capture`: the live table with its filters, and the call that is open. The open call is `callId` in the address;
 *  `call` and `at` are a deep link, which is resolved first. */
export function CapturePage(props: {
  capture: CaptureModel
  open: OpenCallModel
  sources: SourcesModel
  link: LinkState
}) {
  const { capture, open, sources, link } = props
  const [filtersOpen, setFiltersOpen] = useState(false)
  const [comparing, setComparing] = useState(false)
  const [helping, setHelping] = useState(false)
  const [exporting, setExporting] = useState(false)
  // Who comes by a link wants to see the call; the table is there to go on from.
  const [percent, setPercent] = useState(() => (readDeepLink(pageLocation.peek().params) === null ? 58 : 76))
  const phone = useMediaQuery(phoneQuery)
  const textRef = useRef<HTMLInputElement>(null)
  const firstFieldRef = useRef<HTMLSelectElement>(null)
  const filter = capture.filter.value
  const { entries } = capture.shown.value
  const trunkNames = useComputed(() => namesOf(capture)).value

  const linked = useOpenFromAddress(open)
  const resolving = linked !== null && open.target.value === null
  useTitle(open)

  const close = () => {
    if (comparing) setComparing(false)
    else if (open.target.peek() !== null || resolving) closeCall(open)
    else if (filtersOpen) setFiltersOpen(false)
  }
  const openEntry = (entry: MessageEntry) => {
    capture.activeKey.value = entry.key
    setComparing(false)
    openRow(open, entry)
  }
  const move = (step: number) => moveActive(capture, step)
  const active = () => {
    const entry = entries.find((one) => one.key === capture.activeKey.peek())
    return entry?.kind === 'message' ? entry : undefined
  }
  const shortcuts: Shortcut[] = [
    { keys: ['ArrowDown', 'j'], shown: '↓ j', what: 'next row', run: () => move(1) },
    { keys: ['ArrowUp', 'k'], shown: '↑ k', what: 'row before', run: () => move(-1) },
    { keys: ['PageDown'], shown: 'PgDn', what: 'a page down', run: () => move(15) },
    { keys: ['PageUp'], shown: 'PgUp', what: 'a page up', run: () => move(-15) },
    {
      keys: ['Enter'],
      shown: 'Enter',
      what: 'open the call of the row',
      run: () => {
        const entry = active()
        if (entry) openEntry(entry)
      },
    },
    { keys: ['Escape'], shown: 'Esc', what: 'back, close', run: close },
    { keys: ['/'], shown: '/', what: 'search the message text', run: () => textRef.current?.focus() },
    {
      keys: ['f'],
      shown: 'f',
      what: 'all filters',
      run: () => {
        setFiltersOpen(true)
        // The field is drawn with the next frame on a narrow screen.
        requestAnimationFrame(() => firstFieldRef.current?.focus())
      },
    },
    {
      keys: [' '],
      shown: 'Space',
      what: 'mark the row; two marked can be compared',
      run: () => {
        const entry = active()
        if (entry) capture.toggleMark(entry)
      },
    },
    {
      keys: ['c'],
      shown: 'c',
      what: 'compare the two marked rows',
      run: () => {
        if (capture.marked.peek().length === 2) setComparing(true)
      },
    },
    {
      keys: ['p'],
      shown: 'p',
      what: 'pause and resume',
      run: () => {
        if (filter.mode === 'live') capture.togglePause()
      },
    },
    {
      keys: ['e'],
      shown: 'e',
      what: 'export the open call as pcapng',
      run: () => document.querySelector<HTMLElement>('[data-export="pcapng"]')?.click(),
    },
    { keys: ['?'], shown: '?', what: 'these keys', run: () => setHelping(true) },
  ]
  useShortcuts(helping || exporting ? [] : shortcuts)

  const findText = (text: string) => {
    closeCall(open)
    capture.setFilter(addWord({ ...emptyFilter, mode: 'history' }, 'text', text.slice(0, 512)))
  }
  const detailOpen = comparing || resolving || open.target.value !== null
  // Fetched with the first rows, so that the first click need not wait.
  const detail = useLazyPart(loadDetail, entries.length > 0 || detailOpen)
  const linkPane = useLazyPart(loadLink, resolving)
  const compare = useLazyPart(loadCompare, comparing)
  const keysDialog = useLazyPart(loadKeysDialog, helping)
  const exportDialog = useLazyPart(loadExportDialog, exporting)
  const importBanner = useLazyPart(loadImportBanner, filter.capture !== null)
  const problem = capture.problem.value
  return (
    <main class="capture" aria-label="SIP capture">
      <h1 class="visually-hidden">SIP capture</h1>
      <div class="controls">
        <CaptureToolbar
          capture={capture}
          filtersOpen={filtersOpen}
          onToggleFilters={() => setFiltersOpen(!filtersOpen)}
          onCompare={() => setComparing(true)}
          onExport={() => setExporting(true)}
        />
        <FilterBar
          filter={filter}
          onChange={(next) => capture.setFilter(next)}
          trunkNames={trunkNames}
          open={filtersOpen}
          textRef={textRef}
          firstFieldRef={firstFieldRef}
        />
        {filter.capture !== null && importBanner.part !== null && (
          <importBanner.part.ImportBanner key={filter.capture} id={filter.capture} />
        )}
        <FilterChips filter={filter} onChange={(next) => capture.setFilter(next)} />
        {problem !== null && link === 'open' && (
          <p class="notice" role="alert">
            {shownText(problem)}
          </p>
        )}
      </div>
      <div class={`panes${detailOpen ? ' has-detail' : ''}`}>
        <div class="pane-table">
          {entries.length === 0 ? (
            <EmptyState capture={capture} sources={sources} link={link} />
          ) : (
            <MessageTable capture={capture} onOpen={openEntry} />
          )}
        </div>
        {detailOpen && !phone && <Splitter percent={percent} onChange={setPercent} />}
        {detailOpen && (
          <div class="pane-detail" style={phone ? {} : { flexBasis: `${percent}%` }}>
            {comparing ? (
              compare.part !== null && (
                <compare.part.CompareView marked={capture.marked.value} onClose={() => setComparing(false)} />
              )
            ) : resolving && linkPane.part !== null ? (
              <linkPane.part.LinkPane
                link={linked}
                open={open}
                onClose={() => closeCall(open)}
                onFindText={findText}
              />
            ) : resolving || detail.part === null ? (
              <p class="notice">
                {detail.failed || linkPane.failed
                  ? 'This part of the page could not be loaded. Reload the page.'
                  : 'Loading …'}
              </p>
            ) : (
              <detail.part.DetailPane
                open={open}
                sources={sources}
                onClose={() => closeCall(open)}
                onFindText={findText}
              />
            )}
          </div>
        )}
      </div>
      {exporting && exportDialog.part !== null && (
        <exportDialog.part.ExportDialog filter={filter} onClose={() => setExporting(false)} />
      )}
      {helping && keysDialog.part !== null && (
        <keysDialog.part.KeysDialog shortcuts={shortcuts} onClose={() => setHelping(false)} />
      )}
    </main>
  )
}

/** `/capture?callId=…`: exactly that call, from history. Answers a deep link that is still to be resolved. */
function useOpenFromAddress(open: OpenCallModel): DeepLink | null {
  const { params } = pageLocation.value
  const { capture } = readFilter(params)
  // An import knows its calls by Call-ID alone.
  const callId = params.get('callId') || (capture === null ? '' : params.get('call')) || ''
  const id = params.get('message') ?? ''
  const linked = callId === '' && id === '' ? readDeepLink(params) : null
  useEffect(() => {
    if (callId !== '') open.open({ kind: 'call', callId, capture }, { expected: false })
    else if (id !== '') open.open({ kind: 'message', id }, { expected: false })
    else open.close()
  }, [callId, id, capture, linked?.call, linked?.at?.given])
  return linked
}

function openRow(open: OpenCallModel, entry: MessageEntry): void {
  const { row } = entry
  const params = withoutOpen(pageLocation.peek().params)
  if (row.kind === 'unparsed' || row.callId === '') {
    open.open({ kind: 'message', id: row.id }, { expected: true })
    params.set('message', row.id)
  } else {
    open.open(
      { kind: 'call', callId: row.callId, capture: row.capture },
      { expected: row.capture === null, messageId: row.id },
    )
    params.set('callId', row.callId)
  }
  navigate(pageLocation.peek().path, params, pageLocation.peek().params.has('callId') ? 'replace' : 'push')
}

function closeCall(open: OpenCallModel): void {
  open.close()
  navigate(pageLocation.peek().path, withoutOpen(pageLocation.peek().params), 'push')
}

function useTitle(open: OpenCallModel): void {
  const call = open.call.value
  const title =
    call === null ? 'SIP Capture' : `${plainTitle(call.from)} → ${plainTitle(call.to)} · SIP Capture`
  useEffect(() => {
    document.title = title
  }, [title])
}

/** Rows on the screen run newest first, so "next" is the older one. */
function moveActive(capture: CaptureModel, step: number): void {
  const { entries } = capture.shown.peek()
  if (entries.length === 0) return
  const { descending } = capture.sort.peek()
  const at = entries.findIndex((entry) => entry.key === capture.activeKey.peek())
  const shown = at < 0 ? -1 : descending ? entries.length - 1 - at : at
  const next = shown < 0 ? 0 : Math.min(entries.length - 1, Math.max(0, shown + step))
  capture.activeKey.value = entries[descending ? entries.length - 1 - next : next]?.key ?? null
}

function namesOf(capture: CaptureModel): string[] {
  const names = new Set<string>()
  const { entries } = capture.shown.value
  for (let index = entries.length - 1; index >= 0 && index > entries.length - 2000; index -= 1) {
    const entry = entries[index]
    if (entry?.kind === 'message' && entry.row.trunk) names.add(entry.row.trunk)
    if (names.size >= maxTrunkNames) break
  }
  return [...names].sort()
}
