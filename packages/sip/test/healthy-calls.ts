import type { Host, ObservedMessage } from '../src/observed-message.ts'
import { audioLines, LegScript, pbx, sdpBody, trunk } from './conversation.ts'

/** Numbers that look random and are the same every time (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** The messages in an order that has nothing to do with their times; those of one stamp stay as they are, since nobody could
 *  tell which of them came first. */
export function shuffled(messages: readonly ObservedMessage[], seed: number): ObservedMessage[] {
  const random = createRandom(seed)
  const places = new Map<number, number>()
  for (const { atMicros } of messages) if (!places.has(atMicros)) places.set(atMicros, random())
  const placeOf = ({ atMicros }: ObservedMessage) => places.get(atMicros) ?? 0
  return messages.toSorted((a, b) => placeOf(a) - placeOf(b))
}

export interface HealthyCall {
  readonly kind: string
  readonly messages: readonly ObservedMessage[]
  /** Seconds after which everything is over. */
  readonly lastsSeconds: number
}

const allow = ['Allow: INVITE, ACK, CANCEL, BYE, UPDATE, PRACK, REFER, NOTIFY', 'Supported: timer, replaces']

class Builder {
  readonly random: () => number
  readonly id: number
  readonly phone: Host
  clock = 0
  /** Several legs go on side by side, and are built one after the other: then each step has to be short. */
  isHasty = false

  constructor(id: number) {
    this.id = id
    this.random = createRandom(id)
    this.phone = { address: `192.0.2.${20 + (id % 200)}`, port: 5060, name: `phone-${id % 200}` }
  }

  between(least: number, most: number): number {
    return least + this.random() * (most - least)
  }

  chance(probability: number): boolean {
    return this.random() < probability
  }

  /** Moves the clock on and sets it for the leg. */
  after(leg: LegScript, least: number, most: number): LegScript {
    this.clock += this.between(least, most)
    return leg.at(this.clock)
  }

  inbound(suffix = 'a'): LegScript {
    return new LegScript({
      callId: `${this.id}-${suffix}`,
      caller: this.phone,
      callee: pbx,
      toUser: `${2000 + (this.id % 90)}`,
    })
  }

  outbound(suffix = 'b', callee: Host = trunk): LegScript {
    return new LegScript({
      callId: `${this.id}-${suffix}`,
      caller: pbx,
      callee,
      direction: 'out',
      toUser: '004930123',
    })
  }

  /** Asks and is answered; now and then a packet is lost on the way, and the next one arrives. */
  exchange(
    leg: LegScript,
    method: string,
    options: Parameters<LegScript['request']>[1],
    status = 200,
    reason = 'OK',
    answer: object = {},
  ): void {
    leg.request(method, options)
    if (this.chance(0.08)) this.after(leg, 0.5, 0.5).request(method, options)
    const lostAnswer = this.chance(0.05)
    this.after(leg, 0.005, 0.05).response(status, reason, method, {
      ...options,
      headers: [],
      body: '',
      ...answer,
    })
    if (!lostAnswer) return
    this.after(leg, 0.5, 0.5).request(method, options)
    this.after(leg, 0.005, 0.05).response(status, reason, method, {
      ...options,
      headers: [],
      body: '',
      ...answer,
    })
  }

  register(leg: LegScript): void {
    const challenged = { headers: ['WWW-Authenticate: Digest realm="asterisk",nonce="n1",algorithm=MD5'] }
    const login = {
      cseq: 2,
      headers: [
        'Authorization: Digest username="u",realm="asterisk",nonce="n1",response="x"',
        `Contact: <sip:u@${this.phone.address}>`,
      ],
    }
    this.exchange(leg, 'REGISTER', {}, 401, 'Unauthorized', challenged)
    this.after(leg, 0.01, 0.1)
    this.exchange(leg, 'REGISTER', login, 200, 'OK', {
      headers: [`Contact: <sip:u@${this.phone.address}>;expires=${60 + (this.id % 3600)}`],
    })
  }

  /** INVITE to ringing, challenged or not; the CSeq number of the INVITE that rings. */
  invite(leg: LegScript, headers: readonly string[] = []): number {
    let cseq = 1
    const body = sdpBody({ address: leg.caller.address })
    if (this.chance(0.3)) {
      leg.request('INVITE', { body, headers: [...allow, ...headers] })
      this.after(leg, 0.002, 0.03).response(407, 'Proxy Authentication Required', 'INVITE', {
        headers: ['Proxy-Authenticate: Digest realm="r",nonce="n"'],
      })
      this.after(leg, 0.002, 0.03).request('ACK', {
        toTag: 'callee',
        branch: `z9hG4bK-${leg.callId}-1-INVITE-a`,
      })
      this.after(leg, 0.002, 0.03)
      cseq = 2
    }
    const login =
      cseq === 2 ? ['Proxy-Authorization: Digest username="u",realm="r",nonce="n",response="x"'] : []
    const options = {
      cseq,
      body,
      headers: [...allow, ...headers, ...login, `Contact: <sip:u@${leg.caller.address}:${leg.caller.port}>`],
    }
    leg.request('INVITE', options)
    if (this.chance(0.1)) this.after(leg, 0.5, 0.5).request('INVITE', options)
    if (this.chance(0.9)) this.after(leg, 0.001, 0.2).response(100, 'Trying', 'INVITE', { cseq })
    return cseq
  }

  ring(leg: LegScript, cseq: number): void {
    this.after(leg, 0.05, this.isHasty ? 0.2 : 3)
    const kind = Math.floor(this.between(0, 4))
    if (kind === 0)
      leg.response(183, 'Session Progress', 'INVITE', {
        cseq,
        body: sdpBody({ address: leg.callee.address }),
      })
    else if (kind === 1) {
      const reliable = { cseq, headers: ['Require: 100rel', 'RSeq: 7'] }
      leg.response(180, 'Ringing', 'INVITE', reliable)
      if (this.chance(0.2)) this.after(leg, 0.5, 0.5).response(180, 'Ringing', 'INVITE', reliable)
      this.after(leg, 0.01, 0.05)
      this.exchange(leg, 'PRACK', { cseq: cseq + 1, toTag: 'callee', headers: ['RAck: 7 1 INVITE'] })
    } else {
      leg.response(180, 'Ringing', 'INVITE', { cseq })
      if (!this.isHasty && this.chance(0.1))
        this.after(leg, 60, 60).response(180, 'Ringing', 'INVITE', { cseq })
    }
  }

  answer(leg: LegScript, cseq: number, headers: readonly string[] = []): void {
    this.after(leg, 0.3, 25)
    const ok = () =>
      leg.response(200, 'OK', 'INVITE', {
        cseq,
        headers: [...headers, `Contact: <sip:v@${leg.callee.address}:${leg.callee.port}>`],
        body: sdpBody({ address: leg.callee.address }),
      })
    ok()
    if (this.chance(0.06)) {
      this.after(leg, 0.5, 0.5)
      ok()
    }
    const ack = () =>
      leg.request('ACK', { cseq, toTag: 'callee', branch: `z9hG4bK-ack-${leg.callId}-${cseq}` })
    this.after(leg, 0.01, 0.1)
    ack()
  }

  reinvite(leg: LegScript, cseq: number, offered: string, answered: string): void {
    leg.request('INVITE', {
      cseq,
      toTag: 'callee',
      body: sdpBody({ address: leg.caller.address, lines: [...audioLines, `a=${offered}`] }),
    })
    this.after(leg, 0.01, 0.1).response(200, 'OK', 'INVITE', {
      cseq,
      body: sdpBody({ address: leg.callee.address, lines: [...audioLines, `a=${answered}`] }),
    })
    this.after(leg, 0.01, 0.1).request('ACK', {
      cseq,
      toTag: 'callee',
      branch: `z9hG4bK-re-${leg.callId}-${cseq}`,
    })
  }

  hangUp(leg: LegScript): void {
    const isByCallee = this.chance(0.5)
    const reason = this.chance(0.5) ? ['Reason: Q.850;cause=16'] : []
    this.exchange(
      leg,
      'BYE',
      isByCallee ? { fromCallee: true, headers: reason } : { cseq: 90, toTag: 'callee', headers: reason },
    )
  }

  cancel(leg: LegScript, cseq: number, headers: readonly string[] = []): void {
    this.exchange(leg, 'CANCEL', { cseq, headers })
    leg.response(487, 'Request Terminated', 'INVITE', { cseq })
    this.after(leg, 0.005, 0.05).request('ACK', {
      cseq,
      toTag: 'callee',
      branch: `z9hG4bK-${leg.callId}-${cseq}-INVITE-a`,
    })
  }

  /** Answered and talking, for the kinds that begin so. */
  talking(leg: LegScript, headers: readonly string[] = []): LegScript {
    const cseq = this.invite(leg)
    this.ring(leg, cseq)
    this.answer(leg, cseq, headers)
    this.after(leg, 1, 40)
    return leg
  }
}

type Make = (build: Builder) => LegScript[]

function finished(build: Builder, leg: LegScript): LegScript[] {
  build.hangUp(leg)
  return [leg]
}

const kinds: Readonly<Record<string, Make>> = {
  answered: (build) => finished(build, build.talking(build.chance(0.5) ? build.inbound() : build.outbound())),
  registration(build) {
    const leg = build.inbound()
    build.register(leg)
    return [leg]
  },
  qualify(build) {
    const leg = build.outbound()
    build.exchange(leg, 'OPTIONS', {})
    return [leg]
  },
  cancelled(build) {
    const leg = build.inbound()
    const cseq = build.invite(leg)
    build.ring(leg, cseq)
    build.after(leg, 0.5, 30)
    build.cancel(leg, cseq)
    return [leg]
  },
  'hold and resume'(build) {
    const leg = build.talking(build.inbound())
    build.reinvite(leg, 20, 'sendonly', 'recvonly')
    build.after(leg, 2, 90)
    build.reinvite(leg, 21, 'sendrecv', 'sendrecv')
    build.after(leg, 2, 30)
    return finished(build, leg)
  },
  're-INVITE and UPDATE'(build) {
    const leg = build.talking(build.outbound())
    build.reinvite(leg, 20, 'sendrecv', 'sendrecv')
    build.after(leg, 1, 9)
    build.exchange(leg, 'UPDATE', { cseq: 30, toTag: 'callee' })
    build.after(leg, 1, 9)
    return finished(build, leg)
  },
  'session refresh'(build) {
    const timer = ['Session-Expires: 180;refresher=uac']
    const leg = build.talking(build.outbound(), timer)
    for (let index = 0; index < 3; index++) {
      build.after(leg, 80, 92)
      build.exchange(leg, 'UPDATE', { cseq: 30 + index, toTag: 'callee' }, 200, 'OK', { headers: timer })
    }
    build.after(leg, 3, 60)
    return finished(build, leg)
  },
  'fork with one answer'(build) {
    const leg = build.outbound()
    leg.request('INVITE', { withSdp: true })
    build.after(leg, 0.01, 0.1).response(100, 'Trying', 'INVITE')
    for (const toTag of ['one', 'two', 'three'])
      build.after(leg, 0.05, 0.4).response(180, 'Ringing', 'INVITE', { toTag })
    build.after(leg, 1, 20).response(200, 'OK', 'INVITE', { toTag: 'two', withSdp: true })
    build.after(leg, 0.01, 0.1).request('ACK', { toTag: 'two', branch: 'z9hG4bK-ack-fork' })
    build.after(leg, 3, 60)
    build.exchange(leg, 'BYE', { cseq: 90, toTag: 'two' })
    return [leg]
  },
  'two legs'(build) {
    build.isHasty = true
    const a = build.inbound()
    const first = build.invite(a)
    const b = build.outbound().at(build.clock)
    const second = build.invite(b)
    build.ring(b, second)
    build.ring(a.at(build.clock), first)
    build.answer(b.at(build.clock), second)
    build.answer(a.at(build.clock), first)
    build.after(a, 2, 90)
    build.hangUp(a)
    build.hangUp(b.at(build.clock))
    return [a, b]
  },
  'two legs, cancelled'(build) {
    build.isHasty = true
    const a = build.inbound()
    const first = build.invite(a)
    const b = build.outbound().at(build.clock)
    const second = build.invite(b)
    build.ring(b, second)
    build.ring(a.at(build.clock), first)
    build.after(a, 1, 25)
    build.cancel(a, first)
    build.cancel(b.at(build.clock), second)
    return [a, b]
  },
  'all phones ring'(build) {
    build.isHasty = true
    const a = build.inbound()
    const first = build.invite(a)
    const phones = [1, 2, 3].map((index) =>
      build.outbound(`p${index}`, { address: `192.0.2.${230 + index}`, port: 5060 }).at(build.clock),
    )
    const numbers = phones.map((phone) => build.invite(phone.at(build.clock)))
    for (const [index, phone] of phones.entries()) build.ring(phone.at(build.clock), numbers[index] ?? 1)
    build.ring(a.at(build.clock), first)
    const [taken, ...others] = phones
    if (taken) build.answer(taken.at(build.clock), numbers[0] ?? 1)
    for (const [index, phone] of others.entries())
      build.cancel(phone.at(build.clock), numbers[index + 1] ?? 1, ['Reason: Q.850;cause=26'])
    build.answer(a.at(build.clock), first)
    build.after(a, 2, 90)
    build.hangUp(a)
    if (taken) build.hangUp(taken.at(build.clock))
    return [a, ...phones]
  },
  'blind transfer'(build) {
    const leg = build.talking(build.inbound())
    build.exchange(
      leg,
      'REFER',
      { cseq: 40, toTag: 'callee', headers: ['Refer-To: <sip:1003@pbx.example.com>'] },
      202,
      'Accepted',
    )
    for (const [index, line] of ['100 Trying', '200 OK'].entries()) {
      build.after(leg, 0.1, 2)
      build.exchange(leg, 'NOTIFY', {
        cseq: 50 + index,
        fromCallee: true,
        headers: ['Event: refer'],
        body: `SIP/2.0 ${line}\r\n`,
        contentType: 'message/sipfrag',
      })
    }
    build.after(leg, 0.1, 1)
    return finished(build, leg)
  },
}

/** A call in which nothing is wrong; the same one for the same number. Seen by the wire, or by the wire and a tap. */
export function healthyCall(id: number): HealthyCall {
  const names = Object.keys(kinds)
  const kind = names[id % names.length] ?? 'answered'
  const build = new Builder(id)
  const legs = kinds[kind]?.(build) ?? []
  const wire = legs.flatMap(({ messages }) => messages)
  const isTapped = build.chance(0.4)
  const tap = isTapped
    ? wire.map((message) => ({
        ...message,
        id: `${message.id}-hep`,
        source: 'ami-hep',
        atMicros: message.atMicros + Math.round(build.between(50, 900)),
      }))
    : []
  const messages = [...wire, ...tap].toSorted((a, b) => a.atMicros - b.atMicros)
  return { kind, messages, lastsSeconds: build.clock }
}
