import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import type { MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import type { CallMessage } from '@sip-capture/contract/rest/message.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import { sightingKey } from '@sip-capture/sip/sightings.ts'

export interface Side {
  readonly address: string
  readonly port: number
  readonly name?: string
}

export const phone: Side = { address: '192.0.2.21', port: 5062, name: '1001' }
export const pbx: Side = { address: '192.0.2.10', port: 5060 }

export interface Seen {
  readonly text: string
  readonly atMicros: number
  readonly src: Side
  readonly dst: Side
  readonly source?: MessageSource
}

/** Message text as a source saw it → the row that the API would send. */
export function toRow(seen: Seen): CallMessage {
  const bytes = Buffer.from(seen.text, 'utf8')
  const parsed = parseMessage(bytes)
  const source = seen.source ?? 'wire'
  const id = createHash('sha256')
    .update(`${source} ${seen.atMicros} ${seen.src.port} ${seen.text}`)
    .digest('hex')
    .slice(0, 32)
  const far = seen.src.address === pbx.address ? seen.dst : seen.src
  const nobody = { displayName: '', uri: '', user: '', host: '', tag: '' }
  const message = parsed.ok ? parsed.message : null
  const name = (party: typeof nobody) => ({
    displayName: party.displayName,
    uri: party.uri,
    user: party.user,
    host: party.host,
    tag: party.tag,
  })
  return {
    id,
    at: toRfc3339(seen.atMicros),
    precisionMicros: source === 'ami-history' ? 1_000_000 : 1,
    source,
    node: 'pbx1',
    transport: 'UDP',
    direction: seen.src.address === pbx.address ? 'out' : 'in',
    src: seen.src,
    dst: seen.dst,
    kind: message === null ? 'unparsed' : message.kind,
    method: message?.method ?? '',
    status: message?.status ?? null,
    reason: message?.reason ?? '',
    requestUri: message?.requestUri ?? '',
    callId: message?.callId ?? '',
    from: message === null ? nobody : name(message.from),
    to: message === null ? nobody : name(message.to),
    cseq: message?.cseq?.number ?? null,
    branch: message?.branch ?? '',
    userAgent: message?.userAgent ?? '',
    trunk: far.name ?? null,
    channel: null,
    hasSdp: seen.text.includes('application/sdp'),
    sizeBytes: bytes.length,
    copies: 1,
    sightingKey: message === null ? '' : sightingKey(message),
    problems: parsed.ok ? [...parsed.message.problems] : [parsed.problem],
    capture: null,
    rawBase64: bytes.toString('base64'),
  }
}

export interface CallWords {
  readonly callId: string
  readonly startMicros: number
  readonly from?: string
  readonly to?: string
  readonly fromName?: string
  readonly userAgent?: string
  readonly subject?: string
  readonly sources?: readonly MessageSource[]
}

const sdp = (address: string, session = 'call') =>
  [
    'v=0',
    `o=- 8231 1 IN IP4 ${address}`,
    `s=${session}`,
    `c=IN IP4 ${address}`,
    't=0 0',
    'm=audio 17012 RTP/AVP 8 0 101',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:0 PCMU/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    'a=sendrecv',
    '',
  ].join('\r\n')

function sip(startLine: string, headers: readonly string[], body = ''): string {
  const type = body === '' ? [] : ['Content-Type: application/sdp']
  return [startLine, ...headers, ...type, `Content-Length: ${Buffer.byteLength(body)}`, '', body].join('\r\n')
}

/** One leg from the phone through the PBX, as every given source saw it. */
function leg(words: CallWords, steps: readonly Step[]): CallMessage[] {
  const from = words.from ?? '1001'
  const to = words.to ?? '4315550100'
  const [sideA, sideB] = [phone, pbx]
  const tagged = (name: string, user: string, tag: string) =>
    `${name === '' ? '' : `"${name}" `}<sip:${user}@${pbx.address}>${tag === '' ? '' : `;tag=${tag}`}`
  return steps.flatMap((step) => {
    const fromA = (step.by ?? 'a') === 'a'
    const [src, dst] = fromA ? [sideA, sideB] : [sideB, sideA]
    const headers = [
      `Via: SIP/2.0/UDP ${sideA.address}:${sideA.port};branch=z9hG4bK-${words.callId.length}-${step.branch};rport`,
      'Max-Forwards: 70',
      `From: ${tagged(words.fromName ?? '', from, 'a1')}`,
      `To: ${tagged('', to, step.toTag ?? '')}`,
      `Call-ID: ${words.callId}`,
      `CSeq: ${step.cseq}`,
      `Contact: <sip:${from}@${src.address}:${src.port}>`,
      `User-Agent: ${fromA ? (words.userAgent ?? 'Yealink SIP-T46U 108.86') : 'Asterisk PBX 22.10.1'}`,
      ...(words.subject === undefined ? [] : [`Subject: ${words.subject}`]),
    ]
    const text = sip(step.line, headers, step.sdp === true ? sdp(src.address, words.subject) : '')
    return (words.sources ?? ['wire']).map((source, index) =>
      toRow({ text, atMicros: words.startMicros + step.at * 1000 + index * 90, src, dst, source }),
    )
  })
}

interface Step {
  readonly line: string
  readonly at: number
  readonly cseq: string
  readonly branch: string
  readonly by?: 'a' | 'b'
  readonly toTag?: string
  readonly sdp?: boolean
}

export function answeredCall(words: CallWords): CallMessage[] {
  const to = words.to ?? '4315550100'
  const uri = `sip:${to}@${pbx.address}`
  return leg(words, [
    { line: `INVITE ${uri} SIP/2.0`, at: 0, cseq: '1 INVITE', branch: '1', sdp: true },
    { line: 'SIP/2.0 401 Unauthorized', at: 1.2, cseq: '1 INVITE', branch: '1', by: 'b', toTag: 'z' },
    { line: `ACK ${uri} SIP/2.0`, at: 2, cseq: '1 ACK', branch: '1', toTag: 'z' },
    { line: `INVITE ${uri} SIP/2.0`, at: 3, cseq: '2 INVITE', branch: '2', sdp: true },
    { line: 'SIP/2.0 100 Trying', at: 4, cseq: '2 INVITE', branch: '2', by: 'b' },
    { line: 'SIP/2.0 180 Ringing', at: 140, cseq: '2 INVITE', branch: '2', by: 'b', toTag: 'b1' },
    { line: 'SIP/2.0 200 OK', at: 3100, cseq: '2 INVITE', branch: '2', by: 'b', toTag: 'b1', sdp: true },
    { line: `ACK ${uri} SIP/2.0`, at: 3120, cseq: '2 ACK', branch: '3', toTag: 'b1' },
    { line: `BYE ${uri} SIP/2.0`, at: 9000, cseq: '3 BYE', branch: '4', toTag: 'b1' },
    { line: 'SIP/2.0 200 OK', at: 9002, cseq: '3 BYE', branch: '4', by: 'b', toTag: 'b1' },
  ])
}

export function busyCall(words: CallWords): CallMessage[] {
  const uri = `sip:${words.to ?? '4315550111'}@${pbx.address}`
  return leg(words, [
    { line: `INVITE ${uri} SIP/2.0`, at: 0, cseq: '1 INVITE', branch: '1', sdp: true },
    { line: 'SIP/2.0 100 Trying', at: 2, cseq: '1 INVITE', branch: '1', by: 'b' },
    { line: 'SIP/2.0 486 Busy Here', at: 420, cseq: '1 INVITE', branch: '1', by: 'b', toTag: 'b1' },
    { line: `ACK ${uri} SIP/2.0`, at: 422, cseq: '1 ACK', branch: '1', toTag: 'b1' },
  ])
}

/** A dialog of many messages: INFO and 200 in turn. */
export function longCall(words: CallWords, pairs: number): CallMessage[] {
  const uri = `sip:4315550100@${pbx.address}`
  return leg(
    words,
    Array.from({ length: pairs }, (_, n): Step[] => [
      { line: `INFO ${uri} SIP/2.0`, at: n * 10, cseq: `${n + 1} INFO`, branch: `i${n}`, toTag: 'b1' },
      {
        line: 'SIP/2.0 200 OK',
        at: n * 10 + 2,
        cseq: `${n + 1} INFO`,
        branch: `i${n}`,
        by: 'b',
        toTag: 'b1',
      },
    ]).flat(),
  )
}

export function optionsPing(words: CallWords): CallMessage[] {
  const uri = `sip:${pbx.address}`
  return leg(words, [
    { line: `OPTIONS ${uri} SIP/2.0`, at: 0, cseq: '1 OPTIONS', branch: '1' },
    { line: 'SIP/2.0 200 OK', at: 1, cseq: '1 OPTIONS', branch: '1', by: 'b', toTag: 'o' },
  ])
}
