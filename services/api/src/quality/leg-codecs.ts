import { sdpOf } from '@sip-capture/sip/message-sdp.ts'
import type { SdpMedia } from '@sip-capture/sip/sdp.ts'
import type { MessageView } from '../ingest/message-row.ts'

export interface LegCodec {
  readonly codec: string
  readonly clockRate: number
}

/** What a leg's media were said to be, at a time. */
export interface LegCodecs {
  /** Undefined where no answer was seen, or the leg has several media, whose streams RTCP does not tell apart. */
  at(callId: string, atMicros: number): LegCodec | undefined
}

interface Agreement {
  readonly atMicros: number
  readonly codec: LegCodec | undefined
}

/** Answers of all legs (RFC 3264): the SDP of a 2xx or 183 to an INVITE, or of an ACK; messages in order of time. */
export function createLegCodecs(views: readonly MessageView[]): LegCodecs {
  const agreements = new Map<string, Agreement[]>()
  for (const { record, row, message } of views) {
    const isAnswer =
      row.kind === 'response'
        ? row.method === 'INVITE' && (row.status === 183 || Math.floor((row.status ?? 0) / 100) === 2)
        : row.method === 'ACK'
    const sdp = isAnswer ? sdpOf(message) : null
    if (sdp === null) continue
    const media = sdp.media.filter(({ port }) => port !== 0)
    const [only] = media
    const known = agreements.get(row.callId) ?? []
    known.push({
      atMicros: record.atMicros,
      codec: only !== undefined && media.length === 1 ? firstCodec(only) : undefined,
    })
    agreements.set(row.callId, known)
  }
  return {
    at(callId, atMicros) {
      const known = agreements.get(callId) ?? []
      return (known.findLast((one) => one.atMicros <= atMicros) ?? known[0])?.codec
    },
  }
}

function firstCodec({ codecs }: SdpMedia): LegCodec | undefined {
  const speech = codecs.find(({ name }) => name.toLowerCase() !== 'telephone-event' && name !== 'CN')
  return speech === undefined || speech.clockRate === null || speech.clockRate <= 0
    ? undefined
    : { codec: speech.name.slice(0, 64), clockRate: speech.clockRate }
}
