/** A bar with its share in words; `null` while the end is not known. */
export function Progress({ value, label }: { value: number | null; label: string }) {
  return (
    <span class="progress">
      <progress aria-label={label} max={1} {...(value === null ? {} : { value })} />
      {value !== null && <span class="num">{Math.floor(value * 100)} %</span>}
    </span>
  )
}
