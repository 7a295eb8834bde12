import type { SipMessage } from './message.ts'

/** One side of a message. `''` and 0 mean "not known": the history tap names only the far side. */
export interface Host {
  readonly address: string
  readonly port: number
  /** Endpoint or trunk, where it is known. */
  readonly name?: string | undefined
}

/** One message as one source saw it. */
export interface ObservedMessage {
  readonly id: string
  readonly atMicros: number
  /** `wire`, `import`, `ami-hep`, `ami-event`, `ami-history`. */
  readonly source: string
  readonly transport: string
  /** Seen from the PBX. */
  readonly direction: 'in' | 'out' | 'unknown'
  readonly src: Host
  readonly dst: Host
  /** Asterisk's own name of the far side: an endpoint or trunk. `name` of a host may be the user's own instead. */
  readonly endpoint?: string | undefined
  readonly message: SipMessage
}

/** False for what a tap prints when it does not know: `''`, 0.0.0.0 and ::. */
export function isKnownAddress(host: Host): boolean {
  return host.address !== '' && host.address !== '0.0.0.0' && host.address !== '::'
}

/** `192.0.2.1:5060`, `[2001:db8::1]:5060`; `''` when the address is not known. */
export function hostKey(host: Host): string {
  if (!isKnownAddress(host)) return ''
  return host.address.includes(':') ? `[${host.address}]:${host.port}` : `${host.address}:${host.port}`
}
