/**
 * How speech probably sounded, from what RTCP tells: the E-model of ITU-T G.107 (06/2015), narrowband, reduced.
 *
 *   R       = 93.2 − Id − Ie,eff
 *   Id      = 0.024·d + 0.11·(d − 177.3)·H(d − 177.3)                 d: mouth to ear, one way, milliseconds
 *   Ie,eff  = Ie + (95 − Ie) · Ppl / (Ppl / BurstR + Bpl)             Ppl: packet loss in percent; G.107 (7-29)
 *   MOS     = 1 + 0.035·R + R·(R − 60)·(100 − R)·7·10⁻⁶               1 for R ≤ 0, 4.5 for R ≥ 100; G.107 annex B
 *
 * Assumed: all else as G.107's defaults (that is the 93.2); no echo, so that of the delay only Idd is left, in the fit of Cole and
 * Rosenbluth (2001); loss at random (BurstR = 1); packets that a jitter buffer throws away are not among the lost.
 */

/** Ie and Bpl of ITU-T G.113 appendix I (table I.1 and I.4). */
export interface CodecImpairment {
  /** Equipment impairment without loss. */
  readonly ie: number
  /** Packet-loss robustness. */
  readonly bpl: number
  /** How the figures were measured, where a codec can be had with and without it. */
  readonly note: string
}

const g711: CodecImpairment = { ie: 0, bpl: 25.1, note: 'G.711 with loss concealment (appendix I)' }

/** By encoding name of SDP. Codecs whose figures G.113 does not give for narrowband are not in it: no MOS is told for them. */
const impairments: ReadonlyMap<string, CodecImpairment> = new Map([
  ['PCMU', g711],
  ['PCMA', g711],
  ['G729', { ie: 11, bpl: 19, note: 'G.729A with VAD' }],
  ['G723', { ie: 15, bpl: 16.1, note: 'G.723.1 at 6.3 kbit/s with VAD' }],
  ['GSM-EFR', { ie: 5, bpl: 10, note: 'GSM-EFR' }],
])

/** Encoding name (RFC 3551, any case) → its figures; undefined where G.113 has none. */
export function codecImpairment(codec: string): CodecImpairment | undefined {
  return impairments.get(codec.toUpperCase())
}

/** Packet loss of 0 to 100 percent → Ie,eff, G.107 (7-29) with BurstR = 1. */
export function effectiveImpairment({ ie, bpl }: CodecImpairment, lossPercent: number): number {
  const loss = Math.min(100, Math.max(0, lossPercent))
  return ie + ((95 - ie) * loss) / (loss + bpl)
}

/** One-way delay in milliseconds → Id. */
export function delayImpairment(delayMillis: number): number {
  const delay = Math.max(0, delayMillis)
  return 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0)
}

/** Transmission rating R → mean opinion score (estimated, conversational), 1 to 4.5; G.107 annex B. */
export function toMos(r: number): number {
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  // Between 0 and about 6.5 the polynomial dips below 1, which no listener can say.
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

/** Packetisation and codec: 20 ms in a packet (RFC 3551 4.2). */
const packetMillis = 20

/** Half the round trip, a packet, and a jitter buffer of twice the jitter: milliseconds from mouth to ear. A round trip that is
 *  not known (null) counts as none. */
export function estimateDelay(roundTripMillis: number | null, jitterMillis: number): number {
  return (roundTripMillis ?? 0) / 2 + packetMillis + 2 * jitterMillis
}

export interface QualityEstimate {
  /** 0 to 93.2. */
  readonly r: number
  /** 1 to 4.5. */
  readonly mos: number
}

/** What RTCP tells of a stream → R and MOS; null for a codec without figures. */
export function estimateQuality(stream: {
  readonly codec: string
  readonly lossPercent: number
  readonly jitterMillis: number
  readonly roundTripMillis: number | null
}): QualityEstimate | null {
  const impairment = codecImpairment(stream.codec)
  if (impairment === undefined) return null
  const delay = estimateDelay(stream.roundTripMillis, stream.jitterMillis)
  const r = 93.2 - delayImpairment(delay) - effectiveImpairment(impairment, stream.lossPercent)
  return { r: Math.max(0, r), mos: toMos(r) }
}
