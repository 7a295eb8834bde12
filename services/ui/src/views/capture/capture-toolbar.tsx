import { countText } from '../../format/number.ts'
import { FileButton } from '../../components/file-drop.tsx'
import type { CaptureModel } from '../../state/capture.ts'

/** Live or history, pause, clear. */
export function CaptureToolbar(props: {
  capture: CaptureModel
  filtersOpen: boolean
  onToggleFilters: () => void
  onCompare: () => void
  onExport: () => void
}) {
  const { capture } = props
  const filter = capture.filter.value
  const live = filter.mode === 'live'
  const paused = capture.paused.value
  const pending = capture.pending.value
  const marked = capture.marked.value.length
  return (
    <div class="toolbar" role="toolbar" aria-label="Capture">
      <div class="segments" role="group" aria-label="What the table shows">
        <button
          type="button"
          aria-pressed={live}
          onClick={() =>
            capture.setFilter({
              ...filter,
              mode: 'live',
              capture: null,
              sinceMicros: null,
              untilMicros: null,
            })
          }
        >
          Live
        </button>
        <button
          type="button"
          aria-pressed={!live}
          onClick={() => capture.setFilter({ ...filter, mode: 'history' })}
        >
          History
        </button>
      </div>
      {live && (
        <button
          type="button"
          class={`button pause${paused ? ' is-paused' : ''}`}
          aria-pressed={paused}
          title={paused ? 'Let the waiting rows in (p)' : 'Hold the table still; nothing is lost (p)'}
          onClick={() => capture.togglePause()}
        >
          {paused ? (
            <>
              <span aria-hidden="true">▶</span>Resume
              <span class="pending num" data-testid="pending">
                {countText(pending)} new
              </span>
            </>
          ) : (
            <>
              <span aria-hidden="true">❚❚</span>Pause
            </>
          )}
        </button>
      )}
      <button
        type="button"
        class="button"
        title="Empty the table; the history keeps everything"
        onClick={() => capture.clear()}
      >
        Clear
      </button>
      <button
        type="button"
        class="button filters-button"
        aria-expanded={props.filtersOpen}
        title="All filters (f)"
        onClick={props.onToggleFilters}
      >
        Filters
      </button>
      <button
        type="button"
        class="button"
        title="Put what the filter passes into a capture file"
        onClick={props.onExport}
      >
        Export …
      </button>
      <FileButton />
      {marked > 0 && (
        <button type="button" class="button" disabled={marked < 2} onClick={props.onCompare}>
          {marked < 2 ? '1 marked (Space marks another)' : 'Compare 2 marked'}
        </button>
      )}
    </div>
  )
}
