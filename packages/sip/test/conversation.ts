import { parseMessage, type SipMessage } from '../src/message.ts'
import type { Host, ObservedMessage } from '../src/observed-message.ts'

/** Builds calls for the tests: one method a message, in the order they pass, with a clock that the test moves. */

export const phone: Host = { address: '192.0.2.10', port: 5060, name: 'alice' }
export const pbx: Host = { address: '192.0.2.1', port: 5080 }
export const trunk: Host = { address: '203.0.113.9', port: 5060, name: 'acme' }

export const startMicros = 1_795_391_929_000_000

export function toBytes(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

export function toMessage(text: string | Uint8Array): SipMessage {
  const result = parseMessage(typeof text === 'string' ? toBytes(text) : text)
  if (!result.ok) throw new Error(result.problem)
  return result.message
}

/** An SDP body: one audio stream, unless `lines` say what else. */
export function sdpBody({
  address = '192.0.2.10',
  lines = audioLines,
}: { address?: string; lines?: readonly string[] } = {}) {
  return ['v=0', `o=- 1 1 IN IP4 ${address}`, 's=-', `c=IN IP4 ${address}`, 't=0 0', ...lines, ''].join(
    '\r\n',
  )
}

export const audioLines: readonly string[] = [
  'm=audio 4000 RTP/AVP 8 0 101',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
]

export interface Options {
  cseq?: number
  branch?: string
  headers?: readonly string[]
  fromTag?: string
  toTag?: string
  withSdp?: boolean
  /** Another body, `application/sdp` unless `contentType` says so. */
  body?: string
  contentType?: string
  /** Sent by the called side instead of the calling one. */
  fromCallee?: boolean
  uri?: string
  reason?: string
  source?: string
  /** Override what the source knows of the sides. */
  src?: Host
  dst?: Host
  atMicros?: number
}

export interface LegOptions {
  callId?: string
  caller?: Host
  callee?: Host
  /** Direction of a message from the caller, seen from the PBX. */
  direction?: ObservedMessage['direction']
  fromUser?: string
  toUser?: string
  transport?: string
}

let ids = 0

/** One leg. `at(seconds)` sets the clock for the messages that follow. */
export class LegScript {
  readonly messages: ObservedMessage[] = []
  readonly callId: string
  readonly caller: Host
  readonly callee: Host
  readonly direction: ObservedMessage['direction']
  readonly fromUser: string
  readonly toUser: string
  readonly transport: string
  #atMicros = startMicros
  /** What each side last named as its Contact: requests inside the dialog go there. */
  readonly #contacts: { caller?: string; callee?: string } = {}

  constructor(options: LegOptions = {}) {
    this.callId = options.callId ?? 'call-1@192.0.2.10'
    this.caller = options.caller ?? phone
    this.callee = options.callee ?? pbx
    this.direction = options.direction ?? 'in'
    this.fromUser = options.fromUser ?? '1001'
    this.toUser = options.toUser ?? '1002'
    this.transport = options.transport ?? 'UDP'
  }

  at(seconds: number): this {
    this.#atMicros = startMicros + Math.round(seconds * 1_000_000)
    return this
  }

  request(method: string, options: Options = {}): this {
    const cseq = options.cseq ?? 1
    const contact = options.fromCallee === true ? this.#contacts.caller : this.#contacts.callee
    const isInside = options.toTag !== undefined || options.fromCallee === true
    const uri = options.uri ?? ((isInside ? contact : undefined) || `sip:${this.toUser}@pbx.example.com`)
    return this.#add(`${method} ${uri} SIP/2.0`, method, { ...options, cseq }, options.fromCallee === true)
  }

  /** A response to the caller's request, unless `fromCallee` says that the callee asked. */
  response(status: number, reason: string, method: string, options: Options = {}): this {
    const toTag = options.toTag ?? (status === 100 ? '' : 'callee')
    return this.#add(
      `SIP/2.0 ${status} ${reason}`,
      method,
      { ...options, toTag },
      options.fromCallee !== true,
    )
  }

  #add(startLine: string, method: string, options: Options, isFromCallee: boolean): this {
    const cseq = options.cseq ?? 1
    const client = options.fromCallee === true ? this.callee : this.caller
    const branchMethod = method === 'CANCEL' ? 'INVITE' : method
    const branch =
      options.branch ??
      `z9hG4bK-${this.callId}-${cseq}-${branchMethod}-${options.fromCallee === true ? 'b' : 'a'}`
    const callerTag = options.fromTag ?? 'caller'
    const calleeTag = options.toTag ?? ''
    const [fromTag, toTag] = options.fromCallee === true ? ['callee', 'caller'] : [callerTag, calleeTag]
    const body = options.body ?? (options.withSdp === true ? sdpBody() : '')
    const text = [
      startLine,
      `Via: SIP/2.0/${this.transport} ${client.address}:${client.port};rport;branch=${branch}`,
      `From: <sip:${this.fromUser}@pbx.example.com>;tag=${fromTag}`,
      `To: <sip:${this.toUser}@pbx.example.com>${toTag === '' ? '' : `;tag=${toTag}`}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${cseq} ${method}`,
      ...(options.headers ?? []),
      ...(body === '' ? [] : [`Content-Type: ${options.contentType ?? 'application/sdp'}`]),
      `Content-Length: ${body.length}`,
      '',
      body,
    ].join('\r\n')
    for (const header of options.headers ?? []) {
      const contact = /^Contact: <(.*)>$/.exec(header)?.[1]
      if (contact !== undefined && method === 'INVITE')
        this.#contacts[isFromCallee ? 'callee' : 'caller'] = contact
    }
    const turned = this.direction === 'in' ? 'out' : this.direction === 'out' ? 'in' : 'unknown'
    ids++
    this.messages.push({
      id: `m${ids}`,
      atMicros: options.atMicros ?? this.#atMicros,
      source: options.source ?? 'wire',
      transport: this.transport,
      direction: isFromCallee ? turned : this.direction,
      src: options.src ?? (isFromCallee ? this.callee : this.caller),
      dst: options.dst ?? (isFromCallee ? this.caller : this.callee),
      message: toMessage(text),
    })
    return this
  }
}

export function micros(seconds: number): number {
  return startMicros + Math.round(seconds * 1_000_000)
}

/** INVITE, 100, 180, 200, ACK. */
export function answered(leg: LegScript, headers: readonly string[] = []): LegScript {
  return leg
    .at(0)
    .request('INVITE', { withSdp: true })
    .at(0.01)
    .response(100, 'Trying', 'INVITE')
    .at(0.2)
    .response(180, 'Ringing', 'INVITE')
    .at(2)
    .response(200, 'OK', 'INVITE', {
      withSdp: true,
      headers: ['Contact: <sip:1002@192.0.2.1:5080>', ...headers],
    })
    .at(2.05)
    .request('ACK', { toTag: 'callee', branch: 'z9hG4bK-ack' })
}
