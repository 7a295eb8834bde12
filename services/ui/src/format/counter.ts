const abbreviations: ReadonlySet<string> = new Set([
  'ami',
  'hep',
  'ip',
  'rtcp',
  'sctp',
  'sip',
  'stun',
  'tcp',
  'udp',
])

/** A counter's name as words: `legs_linked_by_hep` and `tcpSegments` → "legs linked by HEP" and "TCP segments". */
export function counterText(name: string): string {
  return name
    .replaceAll('_', ' ')
    .replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .split(' ')
    .map((word) => (abbreviations.has(word) ? word.toUpperCase() : word))
    .join(' ')
}
