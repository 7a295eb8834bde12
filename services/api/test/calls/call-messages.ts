import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

export const second = 1_000_000
const phone = { address: '192.0.2.10', port: 5060 }
const pbx = { address: '192.0.2.20', port: 5080 }
export const trunkHost = { address: '203.0.113.9', port: 5060 }

export interface CallScript {
  readonly callId: string
  readonly startMicros: number
  readonly from?: string
  readonly to?: string
  /** Which side: the phone's call to the PBX, or the PBX's to the trunk. */
  readonly leg?: 'phone' | 'trunk'
  /** Milliseconds after the INVITE; absent: it does not happen. */
  readonly ringing?: number
  readonly final?: readonly [millis: number, status: number, reason: string]
  readonly ack?: boolean
  readonly bye?: number
  readonly reasonHeader?: string
  readonly more?: Partial<SipRecord>
}

/** The messages of one leg as one source sees them. */
export function callMessages(script: CallScript): SipRecord[] {
  const { callId, startMicros, from = '100', to = '200', leg = 'phone', ack = true } = script
  const [client, server] = leg === 'phone' ? [phone, pbx] : [pbx, trunkHost]
  const records: SipRecord[] = []
  const add = (
    millis: number,
    startLine: string,
    cseq: string,
    isReply: boolean,
    toTag: string,
    extra: string[] = [],
  ) => {
    const isIn = (leg === 'phone') !== isReply
    records.push(
      sipRecordOf(
        sipText({
          startLine,
          callId,
          cseq,
          from: `"User ${from}" <sip:${from}@example.org>;tag=f${callId.length}`,
          to: `<sip:${to}@example.org>${toTag}`,
          branch: `z9hG4bK-${callId}-${cseq.replace(/ ACK$/, ' INVITE').replace(' ', '')}`,
          extra,
        }),
        {
          atMicros: startMicros + millis * 1000,
          src: isReply ? server : client,
          dst: isReply ? client : server,
          direction: isIn ? 'in' : 'out',
          ...script.more,
        },
      ),
    )
  }
  const uri = `sip:${to}@192.0.2.20`
  add(0, `INVITE ${uri} SIP/2.0`, '1 INVITE', false, '')
  add(5, 'SIP/2.0 100 Trying', '1 INVITE', true, '')
  if (script.ringing !== undefined) add(script.ringing, 'SIP/2.0 180 Ringing', '1 INVITE', true, ';tag=t')
  if (script.final) {
    const [millis, status, reason] = script.final
    const extra = script.reasonHeader === undefined ? [] : [`Reason: ${script.reasonHeader}`]
    add(millis, `SIP/2.0 ${status} ${reason}`, '1 INVITE', true, ';tag=t', extra)
    if (ack) add(millis + 10, `ACK ${uri} SIP/2.0`, '1 ACK', false, ';tag=t')
  }
  if (script.bye !== undefined) {
    add(script.bye, `BYE ${uri} SIP/2.0`, '2 BYE', false, ';tag=t')
    add(script.bye + 20, 'SIP/2.0 200 OK', '2 BYE', true, ';tag=t')
  }
  return records
}
