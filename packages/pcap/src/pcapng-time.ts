import { maxPacketMicros } from './captured-packet.ts'

/** How an interface counts time: `if_tsresol` (byte: 10^-n, or 2^-n with the top bit set) and `if_tsoffset` in seconds. */
export interface TimeScale {
  readonly resolution: number
  readonly offsetSeconds: number
}

export const microsecondScale: TimeScale = { resolution: 6, offsetSeconds: 0 }

export interface PacketTime {
  readonly atMicros: number
  readonly nanos: number
}

/** A 64-bit stamp in two halves → microseconds and nanoseconds. Exact for 10^-6 and 10^-9 without a BigInt. */
export function toPacketTime(high: number, low: number, scale: TimeScale): PacketTime {
  if (scale.offsetSeconds === 0 && scale.resolution === 9) {
    // 2^32 = 4_294_967 * 1000 + 296: all products stay below 2^53.
    const rest = high * 296 + low
    const nanos = rest % 1000
    return clamped(high * 4_294_967 + (rest - nanos) / 1000, nanos)
  }
  if (scale.offsetSeconds === 0 && scale.resolution === 6) return clamped(high * 4_294_967_296 + low, 0)
  const stamp = (BigInt(high) << 32n) | BigInt(low)
  const power = BigInt(scale.resolution & 0x7f)
  const unitsPerSecond = scale.resolution & 0x80 ? 2n ** power : 10n ** power
  const nanos = (stamp * 1_000_000_000n) / unitsPerSecond + BigInt(scale.offsetSeconds) * 1_000_000_000n
  if (nanos < 0n) return { atMicros: 0, nanos: 0 }
  return clamped(Number(nanos / 1000n), Number(nanos % 1000n))
}

function clamped(atMicros: number, nanos: number): PacketTime {
  return atMicros > maxPacketMicros ? { atMicros: maxPacketMicros, nanos: 0 } : { atMicros, nanos }
}
