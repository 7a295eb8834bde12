/**
 * Puts the payload of a record that came over the bus into its place, where `payloadAt` tells it: see `sipRecord`. Changes the
 * item. A place that cannot be right leaves the record without a payload, which its schema refuses.
 */
export function placePayload(item: unknown): void {
  if (typeof item !== 'object' || item === null || !('payloadAt' in item) || 'payload' in item) return
  const [offset, length]: unknown[] = Array.isArray(item.payloadAt) ? item.payloadAt : []
  const [first]: unknown[] = 'frames' in item && Array.isArray(item.frames) ? item.frames : []
  if (typeof first !== 'object' || first === null || !('bytes' in first)) return
  const { bytes } = first
  if (!(bytes instanceof Uint8Array) || !isCount(offset) || !isCount(length)) return
  if (offset + length > bytes.length) return
  Object.assign(item, { payload: bytes.subarray(offset, offset + length) })
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
