import type { SipMessage } from './message.ts'
import { toPrintable } from './printable.ts'
import { parseSdp, type Sdp, type SdpMedia } from './sdp.ts'

/** What a description says for people: the first of a side in full, each later one by what it changes. */
export interface SdpNote {
  /** `SDP audio PCMA PCMU`. Plain text, `''` when the message has no SDP. */
  readonly summary: string
  /** `hold (sendonly)`, `codec PCMA → G722`, `+ video VP8`: against the last description of the same side. Plain text. */
  readonly changes: readonly string[]
  /** True when the same side said exactly this before: a session refresh. */
  readonly isRepeated: boolean
}

const nothing: SdpNote = Object.freeze({ summary: '', changes: [], isRepeated: false })

/** What a side said last, and what codecs it would take. */
interface SideHistory {
  readonly last: Sdp
  /** Its last offer: repeated whole in a session refresh although one codec was agreed since. */
  readonly offer: Sdp | null
}

/** Follows the descriptions of each side of each leg, RFC 3264 8. Messages are given in their order. */
export class SdpHistory {
  readonly #sides = new Map<string, SideHistory>()
  /** The last answer of a leg: the codec in use. */
  readonly #answers = new Map<string, Sdp>()

  note(message: SipMessage): { sdp: Sdp | null; note: SdpNote } {
    if (!message.hasSdp) return { sdp: null, note: nothing }
    const sdp = parseSdp(message.bodyText)
    const key = sideKey(message)
    const before = this.#sides.get(key)
    const isAnswer = message.kind === 'response' || message.method === 'ACK'
    const knownCodecs = (index: number): readonly (SdpMedia | undefined)[] =>
      isAnswer
        ? [this.#answers.get(message.callId)?.media[index]]
        : [before?.last.media[index], before?.offer?.media[index]]
    const changes = before === undefined ? [] : sdpChanges(before.last, sdp, knownCodecs, isAnswer)
    this.#sides.set(key, { last: sdp, offer: isAnswer ? (before?.offer ?? null) : sdp })
    if (isAnswer) this.#answers.set(message.callId, sdp)
    return {
      sdp,
      note: {
        summary: sdpSummary(sdp),
        changes,
        isRepeated: before !== undefined && changes.length === 0,
      },
    }
  }
}

/** The sender: in a response the To side, which may be one of several that a call was forked to. */
function sideKey(message: SipMessage): string {
  const isRequest = message.kind === 'request'
  const tag = isRequest ? message.fromTag : message.toTag
  return `${message.callId}\0${tag}`
}

const maxListed = 4

function sdpSummary(sdp: Sdp): string {
  const streams = sdp.media.slice(0, maxListed).map((media) => {
    if (media.port === 0) return `${media.kind} off`
    const words = [media.kind, ...codecNames(media)]
    if (media.direction !== 'sendrecv') words.push(media.direction)
    return words.join(' ')
  })
  return toPrintable(`SDP ${streams.join(', ')}`.trimEnd(), 100)
}

/** Without tones and comfort noise, which are beside the voice. */
export function codecNames(media: SdpMedia): string[] {
  const names: string[] = []
  for (const { name } of media.codecs) {
    if (names.length === maxListed) break
    if (name !== 'CN' && name.toLowerCase() !== 'telephone-event') names.push(name)
  }
  return names
}

/** What differs between two descriptions of one side, one short phrase each; empty when only `o=` moved on. */
function sdpChanges(
  before: Sdp,
  after: Sdp,
  knownCodecs: (index: number) => readonly (SdpMedia | undefined)[],
  isAnswer: boolean,
): string[] {
  const changes: string[] = []
  const count = Math.max(before.media.length, after.media.length)
  for (let index = 0; index < count && changes.length < 12; index++) {
    const [old, now] = [before.media[index], after.media[index]]
    // RFC 3264 8: streams keep their places; one that ends gets port 0.
    const wasOn = old !== undefined && old.port !== 0
    const isOn = now !== undefined && now.port !== 0
    if (now !== undefined && isOn && !wasOn) changes.push(`+ ${[now.kind, ...codecNames(now)].join(' ')}`)
    else if (old !== undefined && wasOn && !isOn) changes.push(`− ${old.kind}`)
    else if (old !== undefined && now !== undefined && isOn) {
      const found = [...mediaChanges(old, now), ...codecChange(knownCodecs(index), now, isAnswer)]
      changes.push(...(after.media.length > 1 ? found.map((change) => `${now.kind}: ${change}`) : found))
    }
  }
  return changes.map((change) => toPrintable(change, 80))
}

/** An answer changes the codec when it puts another one first, an offer when it lists others than the side did before. */
function codecChange(known: readonly (SdpMedia | undefined)[], now: SdpMedia, isAnswer: boolean): string[] {
  const listed = (media: SdpMedia) =>
    codecNames(media)
      .slice(0, isAnswer ? 1 : maxListed)
      .join(' ')
  const lists = known.flatMap((media) => (media === undefined ? [] : [listed(media)]))
  const [old] = lists
  const codecs = listed(now)
  return old === undefined || lists.includes(codecs) ? [] : [`codec ${old || 'none'} → ${codecs || 'none'}`]
}

function mediaChanges(old: SdpMedia, now: SdpMedia): string[] {
  const changes: string[] = []
  const [wasHeld, isHeld] = [holdOf(old), holdOf(now)]
  if (wasHeld !== isHeld) changes.push(isHeld === '' ? 'resume' : isHeld)
  const isNullAddress = isNull(now.address) || isNull(old.address)
  if (old.address !== now.address && !isNullAddress) changes.push(`address ${old.address} → ${now.address}`)
  if (old.port !== now.port) changes.push(`port ${old.port} → ${now.port}`)
  if (old.protocol !== now.protocol) changes.push(`${old.protocol} → ${now.protocol}`)
  if (old.kind !== now.kind) changes.push(`${old.kind} → ${now.kind}`)
  return changes
}

/** RFC 3264 8.4: `sendonly` or `inactive` puts on hold, RFC 2543 did it with address 0.0.0.0. */
function holdOf(media: SdpMedia): string {
  if (isNull(media.address)) return 'hold (0.0.0.0)'
  if (media.direction === 'recvonly') return 'held (recvonly)'
  return media.direction === 'sendrecv' ? '' : `hold (${media.direction})`
}

function isNull(address: string): boolean {
  return address === '0.0.0.0' || address === '::'
}
