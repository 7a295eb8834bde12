export interface ExportOptions {
  readonly format: 'pcapng' | 'pcap'
  readonly wholeCalls: boolean
  readonly mask: boolean
}

/** What every export asks: format, whole calls, mask. */
export function ExportOptionFields(props: {
  options: ExportOptions
  onChange: (options: ExportOptions) => void
}) {
  const { options, onChange } = props
  return (
    <>
      <label class="field">
        <span class="field-label">Format</span>
        <select
          aria-label="Format"
          value={options.format}
          onChange={(event) =>
            onChange({ ...options, format: event.currentTarget.value === 'pcap' ? 'pcap' : 'pcapng' })
          }
        >
          <option value="pcapng">pcapng (nanoseconds, comments)</option>
          <option value="pcap">pcap (for older tools)</option>
        </select>
      </label>
      <Check
        label="Whole calls"
        what="Every message of each call that has a match, not the matching messages alone."
        checked={options.wholeCalls}
        onChange={(wholeCalls) => onChange({ ...options, wholeCalls })}
      />
      <Check
        label="Mask for sharing"
        what="Numbers, names, host names, addresses and Call-IDs become pseudonyms that stay the same throughout the file; digests and nonces are removed, message texts replaced. The ladder still reads."
        checked={options.mask}
        onChange={(mask) => onChange({ ...options, mask })}
      />
    </>
  )
}

export function Check(props: {
  label: string
  what: string
  checked: boolean
  onChange: (checked: boolean) => void
}) {
  return (
    <label class="check">
      <input
        type="checkbox"
        aria-label={props.label}
        checked={props.checked}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <span>
        <b>{props.label}</b> <span class="faint">{props.what}</span>
      </span>
    </label>
  )
}
