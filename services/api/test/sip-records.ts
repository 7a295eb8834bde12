import { createHash } from 'node:crypto'
import { createRecordId } from '@sip-capture/contract/bus/record-id.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'

const encoder = new TextEncoder()

/** A SIP message as text; header lines given replace the usual ones of that name. */
export function sipText(options: {
  startLine?: string
  callId?: string
  cseq?: string
  from?: string
  to?: string
  branch?: string
  userAgent?: string
  extra?: readonly string[]
  body?: string
}): string {
  const {
    startLine = 'INVITE sip:200@192.0.2.20 SIP/2.0',
    callId = 'call-1@example.org',
    cseq = '1 INVITE',
  } = options
  const body = options.body ?? ''
  return [
    startLine,
    `Via: SIP/2.0/UDP 192.0.2.10:5060;branch=${options.branch ?? 'z9hG4bK1'}`,
    `From: ${options.from ?? '"Alice" <sip:100@example.org>;tag=a1'}`,
    `To: ${options.to ?? '<sip:200@example.org>'}`,
    `Call-ID: ${callId}`,
    `CSeq: ${cseq}`,
    `User-Agent: ${options.userAgent ?? 'Phone 1.0'}`,
    ...(options.extra ?? []),
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

/** One record; its id is made of what identifies it, as the services do. */
export function sipRecordOf(
  text: string | Uint8Array<ArrayBuffer>,
  overrides: Partial<SipRecord> = {},
): SipRecord {
  const payload = typeof text === 'string' ? encoder.encode(text) : text
  const base = {
    v: 1 as const,
    atMicros: 1_795_391_929_123_456,
    nanos: 0,
    precisionMicros: 1,
    source: 'ami-hep' as const,
    node: 'pbx1',
    transport: 'UDP' as const,
    src: { address: '192.0.2.10', port: 5060 },
    dst: { address: '192.0.2.20', port: 5080 },
    direction: 'in' as const,
    payload,
    frames: [],
    copies: 1,
    notes: [],
    ...overrides,
  }
  const digest = createHash('sha256')
    .update(`${base.source} ${base.atMicros} ${base.src.address}:${base.src.port} `)
    .update(payload)
    .digest('hex')
  return {
    id: createRecordId(base.atMicros, digest),
    ...base,
    ...(overrides.id === undefined ? {} : { id: overrides.id }),
  }
}
