import { callEvent, type CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import type { EventTable, FoundCall } from '../history/leg-store.ts'
import type { Store } from '../history/store.ts'

export interface RtcpReports {
  readonly reports: CallEventOf<'rtcp-reported'>[]
  readonly truncated: boolean
}

/** Five hours of two legs, one report a second and direction. */
const maxReports = 72_000

/** What RTCP told of a call's legs, oldest first. @throws StoreError */
export async function readRtcpReports(
  store: Store,
  call: Pick<FoundCall, 'node' | 'linkedids'>,
  from: EventTable = 'callEvents',
): Promise<RtcpReports> {
  if (call.linkedids.length === 0) return { reports: [], truncated: false }
  const rows = await store.query<{ detail: string }>(
    `SELECT detail FROM ${from}
     WHERE node = {node:String} AND linkedid IN {linkedids:Array(String)} AND kind = 'rtcp-reported'
     ORDER BY at, id LIMIT 1 BY at, id LIMIT ${maxReports + 1}`,
    { node: call.node, linkedids: call.linkedids },
  )
  const reports = rows.slice(0, maxReports).flatMap(({ detail }) => {
    const parsed = callEvent.safeParse(JSON.parse(detail))
    return parsed.success && parsed.data.kind === 'rtcp-reported' ? [parsed.data] : []
  })
  return { reports, truncated: rows.length > maxReports }
}
