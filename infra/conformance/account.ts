import type { OwnMessage } from './own-messages.ts'
import { startLineRefusal } from './tshark-start-line.ts'
import type { TsharkMessage } from './tshark-messages.ts'

/** What the two sides do not share, and what is known of it. */
export interface Leftovers {
  readonly onlyTshark: readonly TsharkMessage[]
  readonly onlyOwn: readonly OwnMessage[]
  /** How many more of a payload tshark sees once told ports, any version digits and to put segments in order. */
  readonly toldExtra: ReadonlyMap<string, number>
  /** Payloads of `onlyOwn` that are a part of a longer message for tshark so told. */
  readonly insideTold: ReadonlySet<string>
  /** How many more of a payload ours has if it does not take copies of a packet out. */
  readonly copies: ReadonlyMap<string, number>
  /** Payloads of those of `onlyTshark` that ours has too, less often. */
  readonly ownHas: ReadonlySet<string>
  /** Payloads of ours without a SIP start line that are, or are part of, one of `onlyTshark`. */
  readonly notSip: readonly string[]
  /** Connections, as `SOURCE > DESTINATION` ports, in which tshark stopped with an error of its own. */
  readonly givenUp: ReadonlySet<string>
  /** Why ours cannot read the file at all. */
  readonly unreadable: string | null
}

export interface Account {
  /** Sentences, each with how many messages it explains. */
  readonly reasons: ReadonlyMap<string, number>
  /** What nothing explains: who has it, and its first bytes. */
  readonly unexplained: readonly string[]
}

/** Why ours and tshark's messages of one file differ. Pure. */
export function accountFor(left: Leftovers): Account {
  const reasons = new Map<string, number>()
  const unexplained: string[] = []
  const because = (reason: string): void => {
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1)
  }
  const told = new Map(left.toldExtra)
  const copies = new Map(left.copies)
  const leftTshark = new Set(left.onlyTshark)
  for (const message of left.onlyOwn) {
    if (take(told, message.payload)) {
      because(
        'only ours: tshark agrees once told that the port is SIP, to order segments and to take any SIP version',
      )
      continue
    }
    const other = findCut(leftTshark, message.payload)
    if (other) leftTshark.delete(other)
    const reason = other ? cutReason(message, other) : ownReason(message, left)
    if (reason !== null) because(other ? `other bytes: ${reason}` : `only ours: ${reason}`)
    else {
      unexplained.push(
        `only ours, ${message.transport} ${message.ports.join(' > ')}: ${excerpt(message.payload)}`,
      )
    }
  }
  for (const message of leftTshark) {
    const reason = tsharkReason(message, left, copies)
    if (reason !== null) because(`only tshark: ${reason}`)
    else unexplained.push(`only tshark, frame ${message.frameNumber}: ${excerpt(message.payload)}`)
  }
  return { reasons, unexplained }
}

function ownReason(
  { payload, index, isBehindLineEnds, isBehindRest, notes, transport, ports }: OwnMessage,
  { onlyTshark, insideTold, givenUp }: Leftovers,
): string | null {
  if (notes.includes('hep')) return 'SIP inside HEP, which tshark 4.0 does not open'
  if (index > 0 && transport === 'UDP') {
    return 'a further message in one datagram, which tshark passes by: it dissects the first only'
  }
  if (isBehindLineEnds) {
    return 'behind line ends, which a receiver passes by (RFC 3261 7.5): tshark 4.0 takes what follows them in the segment for data'
  }
  if (insideTold.has(payload) || onlyTshark.some((message) => message.payload.includes(payload))) {
    return 'tshark has it as the end of the message before, which ours ends by Content-Length or at the next start line'
  }
  const refusal = startLineRefusal(payload)
  if (refusal !== null) {
    return `a start line that tshark refuses (${refusal}): a broken message is what one looks for, so ours shows it, its faults named`
  }
  if (notes.includes('incomplete')) {
    return 'the rest was never captured: ours keeps the beginning, marked incomplete'
  }
  if (notes.includes('truncated')) return 'cut by the snap length: ours keeps what is there, marked truncated'
  if (isBehindRest) {
    return 'behind bytes of no message (a body longer than its Content-Length, a lost segment): tshark takes them and what follows for data'
  }
  if (transport === 'TCP' && givenUp.has(ports.join(' > '))) {
    return 'tshark stops in this connection: a segment sent again or a keep-alive inside a message is an error to it'
  }
  if (transport === 'WS') {
    return 'in a WebSocket message that tshark leaves as data (binary, or not announced as sip)'
  }
  return null
}

/** Whether two payloads are one message, begun or ended at another byte. */
export function isCutOf(one: string, other: string): boolean {
  return one !== '' && other !== '' && (one.includes(other) || other.includes(one))
}

function findCut(messages: ReadonlySet<TsharkMessage>, payload: string): TsharkMessage | null {
  for (const message of messages) if (isCutOf(message.payload, payload)) return message
  return null
}

function cutReason(own: OwnMessage, tshark: TsharkMessage): string {
  if (own.transport === 'UDP' && own.payload.startsWith(tshark.payload)) {
    return 'a datagram longer than its Content-Length says: tshark leaves the rest out, ours keeps it with the message, so that the wrong length shows'
  }
  if (tshark.payload.endsWith(own.payload)) {
    return 'line ends or other bytes before the start line, which are no part of the message (RFC 3261 7.5)'
  }
  return 'another end: ours ends the message by Content-Length (RFC 3261 18.3)'
}

/** tshark's names of the layers that ours goes through. */
const openedLayers: ReadonlySet<string> = new Set(
  (
    'frame eth tcp.segments vlan ieee8021ad ieee8021ah etag vntag cmd hsr sll null loop raw llc fr chdlc ppp pppoes mpls pwethcw ' +
    'nflog exported_pdu ip ipv6 ah udp tcp sctp gre erspan vxlan geneve gtp l2tp etherip teredo tzsp websocket http ' +
    'radiotap wlan_radio prism ppi tr fddi atm erf pktap pflog enc ipoib ap1394 sip'
  ).split(' '),
)

function tsharkReason(
  message: TsharkMessage,
  { ownHas, notSip, onlyOwn, unreadable }: Leftovers,
  copies: Map<string, number>,
): string | null {
  const { payload, layers } = message
  if (unreadable !== null) return `unsupported: the file is ${unreadable}, which ours says`
  if (layers.includes('icmp') || layers.includes('icmpv6')) {
    return 'quoted in an ICMP error: the message itself is counted where it was sent'
  }
  if (take(copies, payload)) return 'copies of one packet: ours shows the message once, with the count'
  const carriers = layers.slice(0, layers.indexOf('sip'))
  const unopened = carriers.find((name) => !openedLayers.has(name))
  if (unopened !== undefined) return `unsupported: inside ${unopened}, which tshark opens and ours does not`
  if (message.outer !== null) return 'a message inside the body of another: ours has it there'
  // Line ends behind it may be keep-alives.
  const bare = payload.replace(/[\r\n]+$/, '')
  if (onlyOwn.some((own) => isCutOf(own.payload, payload) || (bare !== '' && own.payload.includes(bare)))) {
    return 'a part that tshark counts by itself: it is in a message of ours'
  }
  if (notSip.some((one) => isCutOf(one, payload))) {
    return 'no whole SIP start line (continuation data, a broken line end): ours keeps it as unparsed'
  }
  if (layers.includes('tcp') && ownHas.has(payload))
    return 'a TCP segment sent again: ours has its bytes once'
  return null
}

function take(counts: Map<string, number>, payload: string): boolean {
  const count = counts.get(payload) ?? 0
  if (count <= 0) return false
  counts.set(payload, count - 1)
  return true
}

/** The first bytes, safe for a terminal. */
function excerpt(payload: string): string {
  const start = payload.slice(0, 80).replaceAll(/[^\x20-\x7e\r\n]/g, '.')
  return `${payload.length} bytes, ${JSON.stringify(start)}`
}
