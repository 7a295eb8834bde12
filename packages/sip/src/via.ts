import { findParameter, isSpace } from './parameters.ts'
import { parseHostPort, parsePort } from './uri.ts'

/** One Via entry, RFC 3261 20.42. */
export interface Via {
  /** Upper case: `UDP`, `TCP`, `TLS`, `WS`, `WSS`, `SCTP`, or what was written. */
  readonly transport: string
  /** Sent-by. An IPv6 literal comes without its brackets. */
  readonly host: string
  readonly port: number | null
  readonly branch: string
  readonly received: string
  /** The number behind `rport=`; null when the parameter is absent or has no value yet (RFC 3581). */
  readonly rport: number | null
}

/** RFC 3261 8.1.1.7: such a branch names its transaction. */
export const branchCookie = 'z9hG4bK'

/** Only the sent-by of a Via entry, as a key: `host:port` in lower case, `host:` without a port. Never fails. */
export function parseSentBy(entry: string): string {
  const { host, port } = parseHostPort(entry, splitVia(entry).hostAt)
  return `${host.toLowerCase()}:${port ?? ''}`
}

/** One entry of a Via list. Never fails: what is not there is `''` or null. */
export function parseVia(entry: string): Via {
  const { transport, hostAt, headEnd } = splitVia(entry)
  return {
    transport: transport.toUpperCase(),
    ...parseHostPort(entry, hostAt),
    branch: findParameter(entry, headEnd, 'branch') ?? '',
    received: findParameter(entry, headEnd, 'received') ?? '',
    rport: parsePort(findParameter(entry, headEnd, 'rport') ?? ''),
  }
}

function splitVia(entry: string): { transport: string; hostAt: number; headEnd: number } {
  const semicolon = entry.indexOf(';')
  const headEnd = semicolon < 0 ? entry.length : semicolon
  let at = entry.indexOf('/')
  if (at >= 0 && at < headEnd) {
    const second = entry.indexOf('/', at + 1)
    at = second >= 0 && second < headEnd ? second + 1 : at + 1
  } else at = 0
  while (at < headEnd && isSpace(entry.charCodeAt(at))) at++
  let transportEnd = at
  while (transportEnd < headEnd && !isSpace(entry.charCodeAt(transportEnd))) transportEnd++
  let hostAt = transportEnd
  while (hostAt < headEnd && isSpace(entry.charCodeAt(hostAt))) hostAt++
  return { transport: entry.slice(at, transportEnd), hostAt, headEnd }
}
