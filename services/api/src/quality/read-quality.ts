import type { CallQuality } from '@sip-capture/contract/rest/quality.ts'
import type { MediaReport } from '@sip-capture/sip/finding.ts'
import type { History } from '../history/history-process.ts'
import type { FoundCall } from '../history/leg-store.ts'
import type { MessageView } from '../ingest/message-row.ts'
import { toCallQuality } from './call-quality.ts'
import { createLegCodecs } from './leg-codecs.ts'

/** How the live call sounded, as far as RTCP told. */
export async function readQuality(
  history: History,
  id: string,
  { call, views }: { readonly call: Pick<FoundCall, 'legs'>; readonly views: readonly MessageView[] },
): Promise<CallQuality> {
  const { reports, truncated } = await history.ask<'readRtcpReports'>({ method: 'readRtcpReports', id })
  const callIds = new Map(call.legs.map((leg) => [leg.uniqueid, leg.callId]))
  return toCallQuality(reports, {
    callIdOf: (uniqueid) => callIds.get(uniqueid) ?? null,
    codecs: createLegCodecs(views),
    truncated,
  })
}

/** What the verdict rules look at. */
export function toMediaReports({ streams }: CallQuality): MediaReport[] {
  return streams.flatMap(({ callId, direction, reports, lossPercent, jitterMillis, roundTripMillis }) =>
    callId === null
      ? []
      : {
          callId,
          direction,
          reports,
          lossPercent: lossPercent?.mean ?? null,
          jitterMillis: jitterMillis?.mean ?? null,
          roundTripMillis: roundTripMillis?.mean ?? null,
        },
  )
}
