import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { useState } from 'preact/hooks'
import { ExportOptionFields, type ExportOptions } from '../../components/export-options.tsx'
import { Modal } from '../../components/modal.tsx'
import { filterText } from '../../format/filter.ts'
import { shownText } from '../../format/shown-text.ts'
import { fromLocalField, secondTime, toLocalField, zoneText } from '../../format/time.ts'
import { type CaptureFilter, toExportFilter } from '../../state/capture-filter.ts'
import { startExport } from '../../state/follow-export.ts'

const minuteMicros = 60_000_000
const ranges = [
  { id: '15', label: 'last 15 minutes', minutes: 15 },
  { id: '60', label: 'last hour', minutes: 60 },
  { id: '1440', label: 'last 24 hours', minutes: 1440 },
  { id: '10080', label: 'last 7 days', minutes: 10_080 },
]

interface Range {
  readonly since: number | null
  readonly until: number | null
}

/** "Export what I see": the filter in force as a capture file, made by the API in its own time. */
export function ExportDialog({ filter, onClose }: { filter: CaptureFilter; onClose: () => void }) {
  const asFiltered = filter.mode === 'history'
  const [name, setName] = useState('')
  const [options, setOptions] = useState<ExportOptions>({ format: 'pcapng', wholeCalls: false, mask: false })
  const [rangeId, setRangeId] = useState(asFiltered ? 'filter' : '60')
  const [from, setFrom] = useState(() => toLocalField(Date.now() * 1000 - 60 * minuteMicros))
  const [until, setUntil] = useState(() => toLocalField(Date.now() * 1000))
  const [problem, setProblem] = useState('')
  const [sending, setSending] = useState(false)
  const words = toExportFilter(filter)

  const rangeOf = (): Range | null => {
    if (rangeId === 'filter') return { since: filter.sinceMicros, until: filter.untilMicros }
    if (rangeId !== 'own') return { since: Date.now() * 1000 - Number(rangeId) * minuteMicros, until: null }
    const range = { since: fromLocalField(from), until: fromLocalField(until) }
    return range.since === null || range.until === null || range.since >= range.until ? null : range
  }
  const send = async () => {
    const range = rangeOf()
    if (range === null) {
      setProblem('The range needs a beginning before its end.')
      return
    }
    setSending(true)
    // Without an end the file would grow while it is written.
    const end = range.until ?? Date.now() * 1000
    const refused = await startExport({
      filter: words,
      ...options,
      name: name.trim(),
      ...(range.since === null ? {} : { since: toRfc3339(range.since) }),
      ...(filter.capture !== null && range.until === null ? {} : { until: toRfc3339(end) }),
    })
    setSending(false)
    if (refused === null) onClose()
    else setProblem(refused)
  }
  return (
    <Modal label="Export what I see" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          void send()
        }}
      >
        <h2>Export what I see</h2>
        <p class="wrap">
          <span class="faint">Filter:</span> {filterText({ ...words, capture: [] })}
          {filter.capture !== null && ' of this import'}
        </p>
        {filter.hideNoise && (
          <p class="warn">
            OPTIONS and REGISTER are hidden in the table only: they will be in the file, unless a method is
            filtered.
          </p>
        )}
        <label class="field">
          <span class="field-label">Name</span>
          <input
            type="text"
            aria-label="Name"
            placeholder="for the list and the file"
            maxLength={200}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="field-label">Time range, in {zoneText()}</span>
          <select
            aria-label="Time range of the export"
            value={rangeId}
            onChange={(event) => setRangeId(event.currentTarget.value)}
          >
            {asFiltered && <option value="filter">{filteredRange(filter)}</option>}
            {ranges.map(({ id, label }) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
            <option value="own">from … until …</option>
          </select>
        </label>
        {rangeId === 'own' && (
          <div class="field-pair">
            <LocalTime label="Export from" value={from} onInput={setFrom} />
            <LocalTime label="Export until" value={until} onInput={setUntil} />
          </div>
        )}
        <ExportOptionFields options={options} onChange={setOptions} />
        {problem !== '' && (
          <p class="field-problem" role="alert">
            {shownText(problem)}
          </p>
        )}
        <p class="actions">
          <button type="submit" class="button primary" disabled={sending}>
            {sending ? 'Asking …' : 'Export'}
          </button>
          <button type="button" class="button" onClick={onClose}>
            Cancel
          </button>
          {filter.capture === null && (
            <a class="schedule-link" href="/exports?schedule=new">
              Do this on a schedule …
            </a>
          )}
        </p>
      </form>
    </Modal>
  )
}

function filteredRange({ sinceMicros, untilMicros, capture }: CaptureFilter): string {
  const from = sinceMicros === null ? '' : `from ${secondTime(toRfc3339(sinceMicros))} `
  const until = untilMicros === null ? '' : `until ${secondTime(toRfc3339(untilMicros))}`
  if (from === '' && until === '')
    return capture === null ? 'all that is kept, until now' : 'the whole import'
  return `as filtered: ${from}${until || 'until now'}`
}

function LocalTime(props: { label: string; value: string; onInput: (value: string) => void }) {
  return (
    <label class="field">
      <span class="field-label">{props.label}</span>
      <input
        type="datetime-local"
        step={1}
        aria-label={props.label}
        value={props.value}
        onInput={(event) => props.onInput(event.currentTarget.value)}
      />
    </label>
  )
}
