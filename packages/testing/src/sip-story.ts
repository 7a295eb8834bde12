/** Tells calls as raw SIP messages for the tests of several rooms: who sent what to whom, and when. No parser in it. */

export interface StoryHost {
  readonly address: string
  readonly port: number
  /** Endpoint or trunk, as the directory would name it. */
  readonly name?: string
}

export interface StoryParty {
  readonly host: StoryHost
  readonly user: string
}

/** One message as a capture beside the PBX sees it. */
export interface SeenText {
  readonly text: string
  readonly atMicros: number
  readonly transport: 'UDP'
  readonly direction: 'in' | 'out'
  readonly src: StoryHost
  readonly dst: StoryHost
}

export interface Described {
  readonly address: string
  readonly port?: number
  readonly codecs?: readonly ('PCMA' | 'PCMU' | 'G722')[]
  readonly direction?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'
  readonly videoPort?: number
}

export interface Saying {
  /** The callee's side says it. */
  readonly byCallee?: boolean
  readonly cseq?: number
  readonly sdp?: Described
  readonly headers?: readonly string[]
  readonly body?: { readonly type: string; readonly text: string }
  readonly uri?: string
  /** Sent again: nothing in it is new. */
  readonly times?: number
}

const payloads = { PCMU: '0', PCMA: '8', G722: '9' } as const

export class SipStory {
  readonly seen: SeenText[] = []
  readonly pbx: StoryHost
  readonly startMicros: number
  now: number

  constructor(pbx: StoryHost, startMicros: number) {
    this.pbx = pbx
    this.startMicros = startMicros
    this.now = startMicros
  }

  /** Sets the clock, in seconds since the begin. */
  at(seconds: number): this {
    this.now = this.startMicros + Math.round(seconds * 1_000_000)
    return this
  }

  leg(callId: string, caller: StoryParty, callee: StoryParty): StoryLeg {
    return new StoryLeg(this, callId, caller, callee)
  }
}

export class StoryLeg {
  readonly #story: SipStory
  readonly callId: string
  readonly caller: StoryParty
  readonly callee: StoryParty
  #version = 0
  #isAnswered = false

  constructor(story: SipStory, callId: string, caller: StoryParty, callee: StoryParty) {
    this.#story = story
    this.callId = callId
    this.caller = caller
    this.callee = callee
  }

  request(method: string, saying: Saying = {}): this {
    const to = saying.byCallee === true ? this.caller : this.callee
    const uri = saying.uri ?? `sip:${to.user}@${hostText(to.host)}`
    return this.#say(`${method} ${uri} SIP/2.0`, method, saying, true)
  }

  /** `method`: of the request that it answers; `byCallee` says who sent that request. */
  answer(status: number, reason: string, method: string, saying: Saying = {}): this {
    if (method === 'INVITE' && status >= 200 && status < 300) this.#isAnswered = true
    return this.#say(`SIP/2.0 ${status} ${reason}`, method, saying, false, status)
  }

  #say(startLine: string, method: string, saying: Saying, isRequest: boolean, status = 0): this {
    const isTurned = saying.byCallee === true
    const [client, server] = isTurned ? [this.callee, this.caller] : [this.caller, this.callee]
    const cseq = saying.cseq ?? 1
    const inDialog = this.#isAnswered || isTurned
    const serverTag =
      inDialog || status > 100 || (method === 'ACK' && isRequest)
        ? `;tag=${isTurned ? 'from' : 'to'}-${this.callId}`
        : ''
    const branch = `z9hG4bK-${this.callId}-${cseq}-${method === 'CANCEL' ? 'INVITE' : method === 'ACK' && !this.#isAnswered ? 'INVITE' : method}-${isTurned ? 'b' : 'a'}`
    const sender = isRequest ? client : server
    const body = saying.sdp === undefined ? saying.body?.text : this.#describe(saying.sdp)
    const type = saying.sdp === undefined ? saying.body?.type : 'application/sdp'
    const text = [
      startLine,
      `Via: SIP/2.0/UDP ${hostText(client.host)};branch=${branch};rport`,
      ...(isRequest ? ['Max-Forwards: 70'] : []),
      `From: <sip:${client.user}@${this.#story.pbx.address}>;tag=${isTurned ? 'to' : 'from'}-${this.callId}`,
      `To: <sip:${server.user}@${this.#story.pbx.address}>${serverTag}`,
      `Call-ID: ${this.callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:${sender.user}@${hostText(sender.host)}>`,
      ...(sender.host === this.#story.pbx
        ? [`${isRequest ? 'User-Agent' : 'Server'}: Asterisk PBX 22.10.1`]
        : []),
      ...(saying.headers ?? []),
      ...(type === undefined ? [] : [`Content-Type: ${type}`]),
      `Content-Length: ${new TextEncoder().encode(body ?? '').length}`,
      '',
      body ?? '',
    ].join('\r\n')
    const [src, dst] = isRequest ? [client.host, server.host] : [server.host, client.host]
    for (let time = 0; time < (saying.times ?? 1); time++) {
      this.#story.seen.push({
        text,
        // RFC 3261 17.1.1.2: T1 doubles, up to T2 where it is no INVITE request.
        atMicros: this.#story.now + repeatDelay(time, isRequest && method === 'INVITE'),
        transport: 'UDP',
        direction: src === this.#story.pbx ? 'out' : 'in',
        src,
        dst,
      })
    }
    return this
  }

  #describe(sdp: Described): string {
    this.#version++
    const codecs = sdp.codecs ?? ['PCMA']
    return [
      'v=0',
      `o=- 4711 ${this.#version} IN IP4 ${sdp.address}`,
      's=call',
      `c=IN IP4 ${sdp.address}`,
      't=0 0',
      `m=audio ${sdp.port ?? 4000} RTP/AVP ${codecs.map((codec) => payloads[codec]).join(' ')} 101`,
      ...codecs.map((codec) => `a=rtpmap:${payloads[codec]} ${codec}/8000`),
      'a=rtpmap:101 telephone-event/8000',
      `a=${sdp.direction ?? 'sendrecv'}`,
      ...(sdp.videoPort === undefined
        ? []
        : [`m=video ${sdp.videoPort} RTP/AVP 96`, 'a=rtpmap:96 VP8/90000']),
      '',
    ].join('\r\n')
  }
}

function hostText({ address, port }: StoryHost): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function repeatDelay(time: number, isInvite: boolean): number {
  let delay = 0
  for (let n = 0; n < time; n++) delay += isInvite ? 500_000 * 2 ** n : Math.min(4_000_000, 500_000 * 2 ** n)
  return delay
}
