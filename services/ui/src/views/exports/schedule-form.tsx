import type { ScheduleView } from '@sip-capture/contract/rest/export.ts'
import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import { ExportOptionFields } from '../../components/export-options.tsx'
import { ownZone, parseCron, zoneNames } from '../../format/cron.ts'
import { filterText } from '../../format/filter.ts'
import { shownText } from '../../format/shown-text.ts'
import {
  createSchedule,
  type FilterWords,
  orderOfSchedule,
  type ScheduleOrder,
  updateSchedule,
} from '../../state/job-client.ts'
import { CronReading } from './cron-reading.tsx'
import { WindowField } from './window-field.tsx'

const examples = [
  { cron: '0 6 * * *', label: 'every day at 06:00' },
  { cron: '0 6 * * 1-5', label: 'Monday to Friday at 06:00' },
  { cron: '0 6 * * 1', label: 'every Monday at 06:00' },
  { cron: '0 6 1 * *', label: 'on the first of the month at 06:00' },
  { cron: '0 * * * *', label: 'every hour' },
  { cron: '*/15 * * * *', label: 'every 15 minutes' },
]
const maxKeep = 1000

/** Makes a schedule, or changes one. What is wrong is said before it is sent, in the words of the field. */
export function ScheduleForm(props: {
  schedule: ScheduleView | null
  captureFilter: FilterWords
  onClose: () => void
  onSaved: () => void
}) {
  const { schedule, captureFilter } = props
  const [order, setOrder] = useState<ScheduleOrder>(() => firstOrder(schedule, captureFilter))
  const [problem, setProblem] = useState('')
  const [sending, setSending] = useState(false)
  const nameField = useRef<HTMLInputElement>(null)
  // Asked for by a button or a link elsewhere: brought into view, ready to type.
  useEffect(() => nameField.current?.focus(), [])
  const zones = useMemo(() => [...new Set([order.timeZone, ...zoneNames()])], [])
  const change = (part: Partial<ScheduleOrder>) => setOrder({ ...order, ...part })

  const save = async () => {
    const fault = faultOf(order)
    setProblem(fault)
    if (fault !== '') return
    setSending(true)
    const answer = await (schedule === null ? createSchedule(order) : updateSchedule(schedule.id, order))
    setSending(false)
    if (answer.ok) props.onSaved()
    else setProblem(answer.problem.message)
  }
  const sameAsCapture = filterText(order.filter) === filterText(captureFilter)
  return (
    <form
      class="schedule-form"
      noValidate
      aria-label={schedule === null ? 'New schedule' : 'Edit schedule'}
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <h3>{schedule === null ? 'New schedule' : `Edit ${shownText(schedule.name)}`}</h3>
      <label class="field is-wide">
        <span class="field-label">Name</span>
        <input
          type="text"
          ref={nameField}
          aria-label="Schedule name"
          maxLength={200}
          placeholder="failed calls of yesterday"
          value={order.name}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </label>
      <label class="field">
        <span class="field-label">When</span>
        <select
          aria-label="When"
          value={examples.some(({ cron }) => cron === order.cron) ? order.cron : ''}
          onChange={(event) => {
            if (event.currentTarget.value !== '') change({ cron: event.currentTarget.value })
          }}
        >
          <option value="">as written in cron</option>
          {examples.map(({ cron, label }) => (
            <option key={cron} value={cron}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <label class="field">
        <span class="field-label">Cron: minute, hour, day, month, weekday</span>
        <input
          type="text"
          class="mono"
          aria-label="Cron"
          maxLength={100}
          spellcheck={false}
          autocomplete="off"
          value={order.cron}
          onInput={(event) => change({ cron: event.currentTarget.value })}
        />
      </label>
      <label class="field">
        <span class="field-label">Time zone</span>
        <select
          aria-label="Time zone"
          value={order.timeZone}
          onChange={(event) => change({ timeZone: event.currentTarget.value })}
        >
          {zones.map((zone) => (
            <option key={zone} value={zone}>
              {zone}
            </option>
          ))}
        </select>
      </label>
      <CronReading cron={order.cron} timeZone={order.timeZone} />
      <WindowField value={order.window} timeZone={order.timeZone} onChange={(window) => change({ window })} />
      <label class="field">
        <span class="field-label">Files to keep</span>
        <input
          type="number"
          aria-label="Files to keep"
          min={1}
          max={maxKeep}
          value={order.keep}
          onInput={(event) => change({ keep: event.currentTarget.valueAsNumber })}
        />
      </label>
      <div class="is-wide filter-choice">
        <p class="wrap">
          <span class="faint">Filter:</span>{' '}
          <span data-testid="schedule-filter">{filterText(order.filter)}</span>
        </p>
        <p class="actions">
          {!sameAsCapture && (
            <button type="button" class="button" onClick={() => change({ filter: captureFilter })}>
              Take the capture page's filter: {filterText(captureFilter)}
            </button>
          )}
          {Object.keys(order.filter).length > 0 && (
            <button type="button" class="button" onClick={() => change({ filter: {} })}>
              No filter
            </button>
          )}
          {sameAsCapture && (
            <span class="faint">
              Set filters on the <a href="/capture">capture page</a> and come back: they are taken over.
            </span>
          )}
        </p>
      </div>
      <ExportOptionFields options={order} onChange={change} />
      {problem !== '' && (
        <p class="field-problem" role="alert">
          {shownText(problem)}
        </p>
      )}
      <p class="actions is-wide">
        <button type="submit" class="button primary" disabled={sending}>
          {schedule === null ? 'Create' : 'Save'}
        </button>
        <button type="button" class="button" onClick={props.onClose}>
          Cancel
        </button>
      </p>
    </form>
  )
}

function firstOrder(schedule: ScheduleView | null, captureFilter: FilterWords): ScheduleOrder {
  if (schedule !== null) return orderOfSchedule(schedule)
  return {
    name: '',
    cron: '0 6 * * *',
    timeZone: ownZone(),
    window: 'previous day',
    keep: 30,
    format: 'pcapng',
    mask: false,
    wholeCalls: true,
    paused: false,
    filter: captureFilter,
  }
}

function faultOf(order: ScheduleOrder): string {
  if (order.name.trim() === '') return 'Name: is needed, the files are named after it.'
  const cron = parseCron(order.cron)
  if (!cron.ok) return `Cron: ${cron.problem}.`
  if (!Number.isInteger(order.keep) || order.keep < 1 || order.keep > maxKeep)
    return `Files to keep: a whole number from 1 to ${maxKeep}.`
  return ''
}
