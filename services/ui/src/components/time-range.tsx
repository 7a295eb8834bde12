import { useEffect, useState } from 'preact/hooks'
import { fromLocalField, toLocalField, zoneText } from '../format/time.ts'

/** At or after, before; epoch microseconds, null: no bound. */
export interface TimeSpan {
  readonly sinceMicros: number | null
  readonly untilMicros: number | null
}

const presets = [
  { label: 'last 15 minutes', minutes: 15 },
  { label: 'last hour', minutes: 60 },
  { label: 'last 24 hours', minutes: 24 * 60 },
  { label: 'last 7 days', minutes: 7 * 24 * 60 },
]

/** From and until as date and time in the viewer's zone. */
export function TimeRange(props: {
  span: TimeSpan
  onChange: (span: TimeSpan) => void
  /** What no bound means here. */
  unbounded?: string
}) {
  const { sinceMicros, untilMicros } = props.span
  const { onChange } = props
  return (
    <fieldset class="time-range">
      <legend class="visually-hidden">Time range, {zoneText()}</legend>
      <label class="field">
        <span class="field-label">Range</span>
        <select
          aria-label="Time range"
          value=""
          onChange={(event) => {
            const minutes = Number(event.currentTarget.value)
            event.currentTarget.value = ''
            if (minutes > 0)
              onChange({ sinceMicros: (Date.now() - minutes * 60_000) * 1000, untilMicros: null })
          }}
        >
          <option value="">{props.unbounded ?? 'any time'}</option>
          {presets.map(({ label, minutes }) => (
            <option key={minutes} value={minutes}>
              {label}
            </option>
          ))}
        </select>
      </label>
      <TimeField
        label="From time"
        micros={sinceMicros}
        onTake={(since) => onChange({ sinceMicros: since, untilMicros })}
      />
      <TimeField
        label="Until time"
        micros={untilMicros}
        onTake={(until) => onChange({ sinceMicros, untilMicros: until })}
      />
    </fieldset>
  )
}

function TimeField(props: { label: string; micros: number | null; onTake: (micros: number | null) => void }) {
  const { label, micros, onTake } = props
  const shown = micros === null ? '' : toLocalField(micros)
  const [value, setValue] = useState(shown)
  useEffect(() => setValue(shown), [shown])
  const take = () => {
    if (value === shown) return
    if (value === '') onTake(null)
    else {
      const taken = fromLocalField(value)
      if (taken !== null) onTake(taken)
    }
  }
  return (
    <label class="field">
      <span class="field-label" title={zoneText()}>
        {label}
      </span>
      <input
        type="datetime-local"
        step={1}
        aria-label={label}
        title={`In ${zoneText()}`}
        value={value}
        onInput={(event) => setValue(event.currentTarget.value)}
        onBlur={take}
        onKeyDown={(event) => {
          if (event.key === 'Enter') take()
        }}
      />
    </label>
  )
}
