/**
 * One AMI message. Values are kept as latin1 strings (one character a byte), so that SIP carried in `Output:` lines
 * stays byte for byte; `text` decodes a value as UTF-8 for people.
 */
export interface AmiBlock {
  readonly kind: 'event' | 'response'
  /** `Hangup` of `Event: Hangup`, `Success` of `Response: Success`. */
  readonly name: string
  /** In order; a name may repeat. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  /** Lines of a Command's output, in order. */
  readonly output: readonly string[]
  /** A cap was reached; the rest of this block was skipped. */
  readonly isTruncated: boolean
}

/** The first value of a field, as raw latin1; names compare case-insensitively. */
export function rawField(block: AmiBlock, name: string): string {
  const wanted = name.toLowerCase()
  return block.fields.find(([key]) => key.toLowerCase() === wanted)?.[1] ?? ''
}

/** The first value of a field as text. Bytes that are not UTF-8 become U+FFFD. */
export function field(block: AmiBlock, name: string): string {
  const raw = rawField(block, name)
  return /^\p{ASCII}*$/u.test(raw) ? raw : Buffer.from(raw, 'latin1').toString('utf8')
}

const identityFields = new Set([
  'event',
  'response',
  'actionid',
  'channel',
  'uniqueid',
  'linkedid',
  'privilege',
])

/**
 * True for a block that no Asterisk writes: a field that says who or what it is occurs twice. A caller's text that holds
 * line ends looks like that.
 */
export function isContradictory(block: AmiBlock): boolean {
  const seen = new Set<string>()
  for (const [name] of block.fields) {
    const key = name.toLowerCase()
    if (!identityFields.has(key)) continue
    if (seen.has(key)) return true
    seen.add(key)
  }
  return false
}
