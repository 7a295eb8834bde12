import type { ScheduleView } from '@sip-capture/contract/rest/export.ts'
import { useState } from 'preact/hooks'
import { toExportFilter } from '../../state/capture-filter.ts'
import type { CaptureModel } from '../../state/capture.ts'
import type { FilterWords } from '../../state/job-client.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import { ScheduleForm } from './schedule-form.tsx'
import { ScheduleRow } from './schedule-row.tsx'

/** Exports that make themselves: the list, and the form that makes or changes one. `?schedule=new` opens the form. */
export function ScheduleSection(props: {
  schedules: readonly ScheduleView[]
  capture: CaptureModel
  onChanged: () => void
}) {
  const { schedules, capture, onChanged } = props
  const [editing, setEditing] = useState<ScheduleView | 'new' | null>(
    pageLocation.peek().params.get('schedule') === 'new' ? 'new' : null,
  )
  // An import is past: what a schedule exports is live traffic.
  const captureFilter: FilterWords = toExportFilter({ ...capture.filter.value, capture: null })
  const close = () => {
    setEditing(null)
    const { path, params } = pageLocation.peek()
    if (!params.has('schedule')) return
    const next = new URLSearchParams(params)
    next.delete('schedule')
    navigate(path, next, 'replace')
  }
  return (
    <section aria-label="Schedules" data-testid="schedules">
      <div class="section-head">
        <h2>Schedules</h2>
        {editing === null && (
          <button type="button" class="button" onClick={() => setEditing('new')}>
            New schedule …
          </button>
        )}
      </div>
      {editing !== null && (
        <ScheduleForm
          key={editing === 'new' ? 'new' : editing.id}
          schedule={editing === 'new' ? null : editing}
          captureFilter={captureFilter}
          onClose={close}
          onSaved={() => {
            close()
            onChanged()
          }}
        />
      )}
      {schedules.length === 0
        ? editing === null && (
            <p class="section-empty">
              No schedule yet. A schedule exports by itself, such as every morning the failed calls of the day
              before.
            </p>
          )
        : null}
      {schedules.length > 0 && (
        <ul class="jobs">
          {schedules.map((schedule) => (
            <ScheduleRow
              key={schedule.id}
              schedule={schedule}
              onChanged={onChanged}
              onEdit={() => setEditing(schedule)}
            />
          ))}
        </ul>
      )}
    </section>
  )
}
