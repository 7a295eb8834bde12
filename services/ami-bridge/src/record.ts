import { createHash } from 'node:crypto'
import { type SipRecord, sipTransports } from '@sip-capture/contract/bus/sip-record.ts'
import type { SipMessage } from '@sip-capture/sip/message.ts'

/** Sixteen bytes of SHA-256 in hex over parts that cannot run into each other. */
export function digestOf(...parts: readonly (string | number | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) {
    const bytes = typeof part === 'object' ? part : Buffer.from(String(part))
    hash.update(`${bytes.length}:`).update(bytes)
  }
  return hash.digest('hex').slice(0, 32)
}

/** The transport as the message says it: HEP and the history know only UDP and TCP. */
export function transportOf(
  message: SipMessage,
  fallback: SipRecord['transport'] = 'unknown',
): SipRecord['transport'] {
  const said = message.topVia?.transport
  return sipTransports.find((transport) => transport === said) ?? fallback
}

/** What two taps must agree on to have seen the same message: everything that pjsip does not print anew. */
export function messageKey(message: SipMessage): string {
  const { kind, status, callId, cseq, branch, from, to } = message
  const start = kind === 'request' ? message.method : `${status} ${cseq?.method ?? ''}`
  return digestOf(kind, start, callId, cseq?.number ?? -1, branch, from.tag, to.tag)
}
