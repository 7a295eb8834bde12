const version = 'SIP/2.0'

/**
 * Why tshark 4.0 takes a message's first line for no SIP start line, or null if it takes it. The rules are those of
 * `sip_parse_line` in its `packet-sip.c`, with `sip.strict_sip_version` as it comes.
 */
export function startLineRefusal(payload: string): string | null {
  const end = payload.search(/[\r\n]/)
  const line = end < 0 ? payload : payload.slice(0, end)
  if (line.includes('\0')) return 'a NUL in it'
  const first = payload.indexOf(' ')
  const second = payload.indexOf(' ', first + 1)
  if (first <= 0 || second < 0) return 'fewer than three words'
  if (line.startsWith(version) && first === version.length) {
    return /^\d{3}$/.test(payload.slice(first + 1, second)) ? null : 'no status code of three digits'
  }
  if (second > line.length) return 'fewer than three words'
  const colon = payload.indexOf(':', first + 2)
  if (second - first - 1 < 3 || colon < 0 || colon > second) return 'no URI with a scheme as its second word'
  return line.slice(second + 1) === version ? null : `not "${version}" as its third word and end`
}
