const units = [
  { unit: 'min', label: 'minutes' },
  { unit: 'h', label: 'hours' },
  { unit: 'd', label: 'days' },
]
const maxCount = 9999

/** Which stretch of time each run exports: `previous day`, or `last 24 h`. */
export function WindowField(props: { value: string; timeZone: string; onChange: (window: string) => void }) {
  const { value, onChange } = props
  const match = /^last (\d+) (min|h|d)$/.exec(value)
  const [, count = '24', unit = 'h'] = match ?? []
  return (
    <fieldset class="window-field">
      <legend class="field-label">Time each run exports</legend>
      <select
        aria-label="Window"
        value={match === null ? 'day' : 'last'}
        onChange={(event) =>
          onChange(event.currentTarget.value === 'day' ? 'previous day' : `last ${count} ${unit}`)
        }
      >
        <option value="day">the day before</option>
        <option value="last">the last …</option>
      </select>
      {match === null ? (
        <span class="faint">midnight to midnight in {props.timeZone}</span>
      ) : (
        <>
          <input
            type="number"
            aria-label="How many"
            min={1}
            max={maxCount}
            value={count}
            onInput={(event) => {
              const next = event.currentTarget.valueAsNumber
              if (Number.isInteger(next) && next >= 1 && next <= maxCount) onChange(`last ${next} ${unit}`)
            }}
          />
          <select
            aria-label="Unit"
            value={unit}
            onChange={(event) => onChange(`last ${count} ${event.currentTarget.value}`)}
          >
            {units.map((one) => (
              <option key={one.unit} value={one.unit}>
                {one.label}
              </option>
            ))}
          </select>
        </>
      )}
    </fieldset>
  )
}
