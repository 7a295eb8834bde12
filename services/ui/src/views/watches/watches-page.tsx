import type { WatchView } from '@sip-capture/contract/rest/watch.ts'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { Check } from '../../components/export-options.tsx'
import { shownText } from '../../format/shown-text.ts'
import { zoneText } from '../../format/time.ts'
import { desktop, setDesktop } from '../../state/desktop-notices.ts'
import type { LiveFeed } from '../../state/live-feed.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import { WatchesModel } from '../../state/watches.ts'
import { MatchList } from './match-list.tsx'
import { PinnedList } from './pinned-list.tsx'
import { WatchForm } from './watch-form.tsx'
import { WatchRow } from './watch-row.tsx'

/** `/watches`: searches that tell when the next call matches, what matched, and the calls that are kept. `?q=` opens the form. */
export function WatchesPage({ feed }: { feed: LiveFeed }) {
  const model = useMemo(() => new WatchesModel(), [])
  useEffect(() => model.watch(feed), [model, feed])
  const asked = pageLocation.value.params.get('q')
  const [editing, setEditing] = useState<WatchView | 'new' | null>(asked === null ? null : 'new')
  const watches = model.watches.value
  const problem = model.problem.value
  const changed = () => void model.load()
  const close = () => {
    setEditing(null)
    if (pageLocation.peek().params.has('q')) navigate('/watches', new URLSearchParams(), 'replace')
  }
  return (
    <main class="exports watches" aria-label="Watches">
      <h1>Watches</h1>
      <p class="faint">Times in {zoneText()}</p>
      {problem !== null && (
        <p class="notice" role="alert">
          {shownText(problem)}
        </p>
      )}
      {!model.loaded.value && <p role="status">Asking the API …</p>}
      {model.loaded.value && (
        <>
          <section aria-label="Watches" data-testid="watches">
            <div class="section-head">
              <h2>Searches</h2>
              {editing === null && (
                <button type="button" class="button" onClick={() => setEditing('new')}>
                  New watch …
                </button>
              )}
            </div>
            {editing !== null && (
              <WatchForm
                key={editing === 'new' ? 'new' : editing.id}
                watch={editing === 'new' ? null : editing}
                search={asked ?? ''}
                onClose={close}
                onSaved={() => {
                  close()
                  changed()
                }}
              />
            )}
            {watches.length === 0 && editing === null && (
              <p class="section-empty">
                No watch yet. Search on the <a href="/calls">page of calls</a> and press <b>Watch</b>: the
                next call that matches is told here, on the desktop, and to a webhook.
              </p>
            )}
            {watches.length > 0 && (
              <ul class="jobs">
                {watches.map((watch) => (
                  <WatchRow
                    key={watch.id}
                    watch={watch}
                    onChanged={changed}
                    onEdit={() => setEditing(watch)}
                  />
                ))}
              </ul>
            )}
            <DesktopChoice />
          </section>
          <MatchList matches={model.matches.value} />
          <PinnedList pinned={model.pinned.value} onChanged={changed} />
        </>
      )}
    </main>
  )
}

function DesktopChoice() {
  const state = desktop.value
  if (state === 'unavailable')
    return (
      <p class="faint">
        This browser shows no notices on the desktop for a page without HTTPS; they come in the corner of this
        page.
      </p>
    )
  if (state === 'refused')
    return (
      <p class="faint">
        This browser was told to show no notices of this page; its settings can allow them again.
      </p>
    )
  return (
    <Check
      label="Tell on the desktop too"
      what="While this page is open in a tab. The browser asks once."
      checked={state === 'on'}
      onChange={(on) => void setDesktop(on)}
    />
  )
}
