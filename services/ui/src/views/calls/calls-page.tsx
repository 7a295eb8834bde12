import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { useLazyPart } from '../../components/lazy-part.ts'
import { phoneQuery, useMediaQuery } from '../../components/media-query.ts'
import { SavedButton } from '../../components/saved-button.tsx'
import { problemOf, SearchChips } from '../../components/search-assist.tsx'
import { SearchBar } from '../../components/search-bar.tsx'
import { Splitter } from '../../components/splitter.tsx'
import { TimeRange } from '../../components/time-range.tsx'
import { countText } from '../../format/number.ts'
import { plainTitle, shownText } from '../../format/shown-text.ts'
import { CallsModel } from '../../state/calls.ts'
import { everyCall, isLive, statsLink, watchLink } from '../../state/calls-filter.ts'
import type { LiveFeed } from '../../state/live-feed.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import type { OpenCallModel } from '../../state/open-call.ts'
import type { SourcesModel } from '../../state/sources.ts'
import { type Shortcut, useShortcuts } from '../capture/shortcuts.ts'
import { CallsEmpty } from './calls-empty.tsx'
import { CallTable } from './call-table.tsx'

const loadDetail = () => import('../capture/detail-pane.tsx')
const loadKeysDialog = () => import('../capture/keys-dialog.tsx')

/** What people look for most, one click away. */
const quick = [
  { label: 'Failed', q: 'state:failed,rejected,busy', title: 'Calls that failed, were rejected or busy' },
  { label: 'Running', q: 'state:setting-up,ringing,in-call', title: 'Calls that go on' },
  {
    label: 'Problems',
    q: 'severity:error,warning',
    title: 'Calls with a warning or a problem in the verdict',
  },
]

/** `/calls`: who called whom, how it went and why; the open call is `callId` in the address. */
export function CallsPage(props: { feed: LiveFeed; open: OpenCallModel; sources: SourcesModel }) {
  const { feed, open, sources } = props
  const calls = useMemo(() => new CallsModel(feed), [feed])
  const [percent, setPercent] = useState(() => (pageLocation.peek().params.has('callId') ? 76 : 58))
  const [helping, setHelping] = useState(false)
  const [rangeOpen, setRangeOpen] = useState(false)
  const phone = useMediaQuery(phoneQuery)
  const searchRef = useRef<HTMLInputElement>(null)
  const rangeRef = useRef<HTMLDivElement>(null)
  const filter = calls.filter.value
  void calls.version.value
  const { items } = calls.rows
  const live = isLive(filter)

  useEffect(() => calls.start(), [calls])
  const callId = pageLocation.value.params.get('callId')
  useEffect(() => {
    if (callId === null || callId === '') open.close()
    else open.open({ kind: 'call', callId, capture: filter.capture }, { expected: false })
  }, [callId, filter.capture])
  useTitle(open)

  const openRow = (row: CallRow) => {
    calls.activeId.value = row.id
    const params = new URLSearchParams(pageLocation.peek().params)
    const isOpen = params.has('callId')
    params.set('callId', row.callIds[0] ?? row.id)
    navigate('/calls', params, isOpen ? 'replace' : 'push')
  }
  const active = () => items.find((row) => row.id === calls.activeId.peek())
  const move = (step: number) => {
    const at = items.findIndex((row) => row.id === calls.activeId.peek())
    const next = at < 0 ? 0 : Math.min(items.length - 1, Math.max(0, at + step))
    calls.activeId.value = items[next]?.id ?? null
  }
  const shortcuts: Shortcut[] = [
    { keys: ['ArrowDown', 'j'], shown: '↓ j', what: 'next call', run: () => move(1) },
    { keys: ['ArrowUp', 'k'], shown: '↑ k', what: 'call before', run: () => move(-1) },
    { keys: ['PageDown'], shown: 'PgDn', what: 'a page down', run: () => move(15) },
    { keys: ['PageUp'], shown: 'PgUp', what: 'a page up', run: () => move(-15) },
    {
      keys: ['Enter'],
      shown: 'Enter',
      what: 'open the call',
      run: () => {
        const row = active()
        if (row) openRow(row)
      },
    },
    {
      keys: ['Escape'],
      shown: 'Esc',
      what: 'close the call',
      run: () => {
        if (open.target.peek() !== null) closeCall()
      },
    },
    { keys: ['/'], shown: '/', what: 'search', run: () => searchRef.current?.focus() },
    {
      keys: ['f'],
      shown: 'f',
      what: 'time range',
      run: () => {
        setRangeOpen(true)
        // The field is drawn with the next frame on a narrow screen.
        requestAnimationFrame(() => rangeRef.current?.querySelector('select')?.focus())
      },
    },
    {
      keys: ['p'],
      shown: 'p',
      what: 'pause and resume',
      run: () => {
        if (live) calls.togglePause()
      },
    },
    {
      keys: ['e'],
      shown: 'e',
      what: 'export the open call, else that of the row, as pcapng',
      run: exportCall,
    },
    { keys: ['?'], shown: '?', what: 'these keys', run: () => setHelping(true) },
  ]
  useShortcuts(helping ? [] : shortcuts)

  const detailOpen = open.target.value !== null
  const detail = useLazyPart(loadDetail, items.length > 0 || detailOpen)
  const keysDialog = useLazyPart(loadKeysDialog, helping)
  const problem = calls.problem.value
  const link = feed.link.value
  return (
    <main class="capture calls" aria-label="Calls">
      <h1 class="visually-hidden">Calls</h1>
      <div class="calls-controls">
        <SearchBar
          kind="calls"
          value={filter.q}
          placeholder="Search calls: number, name, state:failed trunk:acme pdd:>5s  ( / )"
          inputRef={searchRef}
          onSearch={(q) => calls.setFilter({ ...filter, q })}
        />
        <div class="calls-tools">
          {quick.map(({ label, q, title }) => {
            const on = filter.q === q
            return (
              <button
                key={label}
                type="button"
                class="toggle"
                aria-pressed={on}
                title={title}
                onClick={() => calls.setFilter({ ...filter, q: on ? '' : q })}
              >
                {label}
              </button>
            )
          })}
          {live && <PauseButton calls={calls} />}
          <button
            type="button"
            class="button range-button"
            aria-expanded={rangeOpen}
            onClick={() => setRangeOpen(!rangeOpen)}
          >
            Time
          </button>
          <SavedButton />
          <a
            class="button"
            href={watchLink(filter)}
            title="Tell when the next call matches this search: here and by webhook"
          >
            Watch
          </a>
          <a class="button" href={statsLink(filter)} title="Numbers of what this search finds">
            Statistics
          </a>
        </div>
        <div ref={rangeRef} class={`calls-range${rangeOpen ? ' is-open' : ''}`}>
          <TimeRange span={filter} onChange={(span) => calls.setFilter({ ...filter, ...span })} />
        </div>
        {filter.q !== '' && (
          <div class="chips" role="list" aria-label="Active filters">
            <SearchChips q={filter.q} onChange={(q) => calls.setFilter({ ...filter, q })} />
            <button
              type="button"
              class="link"
              onClick={() => calls.setFilter({ ...everyCall, capture: filter.capture })}
            >
              Clear all filters
            </button>
          </div>
        )}
        {problem !== null && link === 'open' && (
          <p class="notice" role="alert">
            {shownText(problem)}
          </p>
        )}
      </div>
      <div class={`panes${detailOpen ? ' has-detail' : ''}`}>
        <div class="pane-table">
          {items.length === 0 ? (
            <CallsEmpty calls={calls} link={link} isReadable={problemOf('calls', filter.q) === null} />
          ) : (
            <CallTable calls={calls} onOpen={openRow} />
          )}
        </div>
        {detailOpen && !phone && <Splitter percent={percent} onChange={setPercent} />}
        {detailOpen && (
          <div class="pane-detail" style={phone ? {} : { flexBasis: `${percent}%` }}>
            {detail.part === null ? (
              <p class="notice">
                {detail.failed ? 'This part of the page could not be loaded. Reload the page.' : 'Loading …'}
              </p>
            ) : (
              <detail.part.DetailPane
                open={open}
                sources={sources}
                onClose={closeCall}
                onFindText={(text) =>
                  navigate('/capture', new URLSearchParams({ mode: 'history', text: text.slice(0, 512) }))
                }
              />
            )}
          </div>
        )}
      </div>
      {helping && keysDialog.part !== null && (
        <keysDialog.part.KeysDialog shortcuts={shortcuts} onClose={() => setHelping(false)} />
      )}
    </main>
  )
}

function closeCall(): void {
  const params = new URLSearchParams(pageLocation.peek().params)
  params.delete('callId')
  navigate('/calls', params)
}

function exportCall(): void {
  const button =
    document.querySelector<HTMLElement>('.pane-detail [data-export="pcapng"]') ??
    document.querySelector<HTMLElement>('.pane-table [data-export="pcapng"]')
  button?.click()
}

function useTitle(open: OpenCallModel): void {
  const call = open.call.value
  const title = call === null ? 'Calls' : `${plainTitle(call.from)} → ${plainTitle(call.to)}`
  useEffect(() => {
    document.title = `${title} · SIP Capture`
  }, [title])
}

function PauseButton({ calls }: { calls: CallsModel }) {
  const paused = calls.paused.value
  return (
    <button
      type="button"
      class={`button pause${paused ? ' is-paused' : ''}`}
      aria-pressed={paused}
      title={paused ? 'Let the waiting calls in (p)' : 'Hold the table still; nothing is lost (p)'}
      onClick={() => calls.togglePause()}
    >
      {paused ? (
        <>
          <span aria-hidden="true">▶</span>Resume
          <span class="pending num" data-testid="pending">
            {countText(calls.pending.value)} new
          </span>
        </>
      ) : (
        <>
          <span aria-hidden="true">❚❚</span>Pause
        </>
      )}
    </button>
  )
}
