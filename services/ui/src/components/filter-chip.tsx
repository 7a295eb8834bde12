/** Something that narrows the view, removable. */
export function FilterChip(props: { label: string; value: string; onRemove: () => void }) {
  return (
    <span class="chip" role="listitem">
      <span class="chip-label">{props.label}</span> <span class="chip-value">{props.value}</span>
      <button
        type="button"
        aria-label={`Remove filter ${props.label} ${props.value}`}
        onClick={props.onRemove}
      >
        ×
      </button>
    </span>
  )
}
