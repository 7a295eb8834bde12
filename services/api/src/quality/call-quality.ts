import type { CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import type { CallQuality, MediaQuality, QualityPoint } from '@sip-capture/contract/rest/quality.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { estimateQuality } from '@sip-capture/sip/quality.ts'
import type { LegCodec, LegCodecs } from './leg-codecs.ts'

type Report = CallEventOf<'rtcp-reported'>

const maxStreams = 64
/** Points of a stream in an answer: a long call's reports share them. */
const maxPoints = 300

interface Sample {
  readonly atMicros: number
  readonly jitterMillis: number | null
  readonly lossPercent: number | null
  readonly roundTripMillis: number | null
  readonly mos: number | null
}

/** RTCP reports of a call (oldest first) → its RTP streams, each as its receiver told of it. */
export function toCallQuality(
  reports: readonly Report[],
  context: {
    readonly callIdOf: (uniqueid: string) => string | null
    readonly codecs: LegCodecs
    readonly truncated: boolean
  },
): CallQuality {
  const streams = new Map<string, Report[]>()
  let truncated = context.truncated
  // The round trip is of a leg, and only the reports of one direction tell it.
  const roundTrips = new Map<string, { atMicros: number; millis: number }[]>()
  for (const report of reports) {
    if (report.roundTripMicros !== undefined) {
      const known = roundTrips.get(report.uniqueid) ?? []
      known.push({ atMicros: report.atMicros, millis: report.roundTripMicros / 1000 })
      roundTrips.set(report.uniqueid, known)
    }
    if (report.aboutSsrc === undefined) continue
    const key = `${report.uniqueid} ${report.direction} ${report.aboutSsrc}`
    const stream = streams.get(key)
    if (stream) stream.push(report)
    else if (streams.size < maxStreams) streams.set(key, [report])
    else truncated = true
  }
  return {
    streams: [...streams.values()].flatMap((own) => {
      const [first] = own
      if (first === undefined) return []
      const callId = context.callIdOf(first.uniqueid)
      const codec = callId === null ? undefined : context.codecs.at(callId, own.at(-1)?.atMicros ?? 0)
      return toStream(own, first, { callId, codec, roundTrips: roundTrips.get(first.uniqueid) ?? [] })
    }),
    truncated,
  }
}

function toStream(
  reports: readonly Report[],
  first: Report,
  leg: {
    callId: string | null
    codec: LegCodec | undefined
    roundTrips: readonly { atMicros: number; millis: number }[]
  },
): MediaQuality {
  const { codec } = leg
  const last = reports.at(-1) ?? first
  let nextTrip = 0
  let roundTripMillis: number | null = null
  const samples = reports.map((report): Sample => {
    for (; nextTrip < leg.roundTrips.length; nextTrip++) {
      const trip = leg.roundTrips[nextTrip]
      if (trip === undefined || trip.atMicros > report.atMicros) break
      roundTripMillis = trip.millis
    }
    const jitterMillis =
      report.jitter === undefined || codec === undefined ? null : (report.jitter / codec.clockRate) * 1000
    const lossPercent = report.fractionLost === undefined ? null : (report.fractionLost / 256) * 100
    return { atMicros: report.atMicros, jitterMillis, lossPercent, roundTripMillis, mos: null }
  })
  const jitter = meanAndMax(samples.map((sample) => sample.jitterMillis))
  const loss = meanAndMax(samples.map((sample) => sample.lossPercent))
  const roundTrip = meanAndMax(samples.map((sample) => sample.roundTripMillis))
  const estimate = (jitterMillis: number | null, lossPercent: number | null, trip: number | null) =>
    codec === undefined || jitterMillis === null || lossPercent === null
      ? null
      : estimateQuality({ codec: codec.codec, lossPercent, jitterMillis, roundTripMillis: trip })
  const whole = estimate(jitter?.mean ?? null, loss?.mean ?? null, roundTrip?.mean ?? null)
  return {
    channel: first.channel,
    uniqueid: first.uniqueid,
    callId: leg.callId,
    // Asterisk sends reports about what it receives, and receives those about what it sends.
    direction: first.direction === 'sent' ? 'received' : 'sent',
    ssrc: first.aboutSsrc ?? 0,
    from: first.from,
    codec: codec?.codec ?? null,
    clockRate: codec?.clockRate ?? null,
    reports: reports.length,
    startedAt: toRfc3339(first.atMicros),
    endedAt: toRfc3339(last.atMicros),
    lostPackets: last.cumulativeLost ?? null,
    jitterMillis: jitter,
    lossPercent: loss,
    roundTripMillis: roundTrip,
    mos: whole === null ? null : round(whole.mos),
    r: whole === null ? null : round(whole.r),
    noMos:
      whole !== null
        ? ''
        : codec === undefined
          ? 'the codec of this stream is not known'
          : jitter === null || loss === null
            ? 'no report told jitter and loss'
            : `ITU-T G.113 has no figures for ${codec.codec} in the narrowband E-model`,
    points: thin(
      samples.map((sample) => ({
        ...sample,
        mos: estimate(sample.jitterMillis, sample.lossPercent, sample.roundTripMillis)?.mos ?? null,
      })),
    ),
  }
}

/** At most `maxPoints`, each the worst of its neighbours: a short burst of loss must stay visible. */
function thin(samples: readonly Sample[]): QualityPoint[] {
  const each = Math.ceil(samples.length / maxPoints)
  const points: QualityPoint[] = []
  for (let at = 0; at < samples.length; at += each) {
    const group = samples.slice(at, at + each)
    const most = (values: readonly (number | null)[]) => meanAndMax(values)?.max ?? null
    const mos = group.flatMap((sample) => sample.mos ?? [])
    points.push({
      at: toRfc3339(group[0]?.atMicros ?? 0),
      jitterMillis: most(group.map((sample) => sample.jitterMillis)),
      lossPercent: most(group.map((sample) => sample.lossPercent)),
      roundTripMillis: most(group.map((sample) => sample.roundTripMillis)),
      mos: mos.length === 0 ? null : round(Math.min(...mos)),
    })
  }
  return points
}

function meanAndMax(values: readonly (number | null)[]): { mean: number; max: number } | null {
  const known = values.flatMap((value) => value ?? [])
  if (known.length === 0) return null
  const sum = known.reduce((total, value) => total + value, 0)
  const max = known.reduce((most, value) => Math.max(most, value), 0)
  return { mean: round(sum / known.length), max: round(max) }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
