import { hash } from 'node:crypto'
import { type SipRecord, sipTransports } from '@sip-capture/contract/bus/sip-record.ts'
import type { SipMessage } from '@sip-capture/sip/message.ts'

/** For what is hashed, one after the other: nearly every message fits. */
const scratch = Buffer.allocUnsafeSlow(16 * 1024)
/** Of a character in UTF-8, at most. */
const characterBytes = 3

/** Sixteen bytes of SHA-256 in hex over texts and what comes last, bytes; they cannot run into each other. */
export function digestOf(texts: readonly (string | number)[], bytes: Uint8Array): string {
  const head = `${joinWithLengths(texts)}${bytes.length}:`
  const size = head.length * characterBytes + bytes.length
  const whole = size <= scratch.length ? scratch : Buffer.allocUnsafe(size)
  const at = whole.write(head)
  whole.set(bytes, at)
  return hash('sha256', whole.subarray(0, at + bytes.length), 'hex').slice(0, 32)
}

function joinWithLengths(texts: readonly (string | number)[]): string {
  return texts.map((text) => `${Buffer.byteLength(String(text))}:${text}`).join('')
}

/** The transport as the message says it: HEP and the history know only UDP and TCP. */
export function transportOf(
  message: SipMessage,
  fallback: SipRecord['transport'] = 'unknown',
): SipRecord['transport'] {
  const said = message.topVia?.transport
  return sipTransports.find((transport) => transport === said) ?? fallback
}

/** Thousands are kept at once, and an attacker may say long ones. */
const maxKeyLength = 512

/** What two taps must agree on to have seen the same message: everything that pjsip does not print anew. */
export function messageKey(message: SipMessage): string {
  const { kind, status, callId, cseq, branch, fromTag, toTag } = message
  const start = kind === 'request' ? message.method : `${status} ${cseq?.method ?? ''}`
  // None of them has a line feed in it.
  const key = `${kind}\n${start}\n${callId}\n${cseq?.number ?? -1}\n${branch}\n${fromTag}\n${toTag}`
  return key.length <= maxKeyLength ? key : digestOf([], Buffer.from(key))
}
