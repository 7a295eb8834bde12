import { FilterChip } from '../../components/filter-chip.tsx'
import { useSearchAssist } from '../../components/search-bar.tsx'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, zoneText } from '../../format/time.ts'
import { wordLabels } from '../../state/attributes.ts'
import {
  type CaptureFilter,
  emptyFilter,
  filterWords,
  isNarrowed,
  removeWord,
} from '../../state/capture-filter.ts'

/** What is filtered by, each part removable. */
export function FilterChips({
  filter,
  onChange,
}: {
  filter: CaptureFilter
  onChange: (filter: CaptureFilter) => void
}) {
  const assist = useSearchAssist(filter.q !== '')
  if (!isNarrowed(filter) && !filter.hideNoise) return null
  return (
    <div class="chips" role="list" aria-label="Active filters">
      {assist !== null && <assist.SearchChips q={filter.q} onChange={(q) => onChange({ ...filter, q })} />}
      {filterWords.flatMap((word) =>
        (filter.words[word] ?? []).map((value) => (
          <FilterChip
            key={`${word} ${value}`}
            label={wordLabels[word]}
            value={shownText(value.slice(0, 80))}
            onRemove={() => onChange(removeWord(filter, word, value))}
          />
        )),
      )}
      {filter.sinceMicros !== null && (
        <FilterChip
          label="From"
          value={`${fullTime(filter.sinceMicros).slice(0, -7)} (${zoneText(filter.sinceMicros)})`}
          onRemove={() => onChange({ ...filter, sinceMicros: null })}
        />
      )}
      {filter.untilMicros !== null && (
        <FilterChip
          label="Until"
          value={`${fullTime(filter.untilMicros).slice(0, -7)} (${zoneText(filter.untilMicros)})`}
          onRemove={() => onChange({ ...filter, untilMicros: null })}
        />
      )}
      {filter.hideNoise && (
        <FilterChip
          label="Hidden"
          value="OPTIONS, REGISTER"
          onRemove={() => onChange({ ...filter, hideNoise: false })}
        />
      )}
      <button
        type="button"
        class="link"
        onClick={() => onChange({ ...emptyFilter, mode: filter.mode, capture: filter.capture })}
      >
        Clear all filters
      </button>
    </div>
  )
}
