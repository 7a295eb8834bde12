import type { MessageSight } from '@sip-capture/contract/rest/message.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { toMicros } from '../format/time.ts'

/** Since 2025; several times faster than by way of `atob`. */
const { fromBase64 } = Uint8Array as { fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }

/** Base64 → bytes; empty when it is not base64. */
export function toBytes(base64: string): Uint8Array<ArrayBuffer> {
  try {
    if (fromBase64 !== undefined) return fromBase64(base64)
    const text = atob(base64)
    const bytes = new Uint8Array(text.length)
    for (let at = 0; at < text.length; at += 1) bytes[at] = text.charCodeAt(at)
    return bytes
  } catch {
    return new Uint8Array(0)
  }
}

/** A row with its bytes → what `packages/sip` works on; `null` when the bytes are not SIP. */
export function toObserved(row: MessageSight): ObservedMessage | null {
  const parsed = parseMessage(toBytes(row.rawBase64))
  if (!parsed.ok) return null
  return {
    id: row.id,
    atMicros: toMicros(row.at),
    source: row.source,
    transport: row.transport,
    direction: row.direction,
    src: row.src,
    dst: row.dst,
    ...(row.trunk === null ? {} : { endpoint: row.trunk }),
    message: parsed.message,
  }
}
