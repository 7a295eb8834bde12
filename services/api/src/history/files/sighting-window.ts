import { parseMessage } from '@sip-capture/sip/message.ts'
import { mergeSightings } from '@sip-capture/sip/sightings.ts'
import { compareStamps, FrameOnce, type CommentedPacket, type ToPackets } from '../../capture-packets.ts'
import type { FileMessage } from './file-message.ts'

/** Two sights of one message are at most 3 s apart; what is older than this below the newest is settled. */
const windowMicros = 6_000_000
/** In a flood the window is cut short rather than memory filled: a message may then be there twice. */
const maxHeld = 50_000

export type FilePacket = CommentedPacket<FileMessage>

/**
 * Messages in order of time → the packets of a file in order of time, each real message once, the wire preferred. Holds
 * back what a later sight may still replace.
 */
export class SightingWindow {
  #held: FileMessage[] = []
  #messages = 0
  #ready: FilePacket[] = []
  readonly #once = new FrameOnce()
  readonly #toPackets: ToPackets

  constructor(toPackets: ToPackets) {
    this.#toPackets = toPackets
  }

  /** Real messages that became packets: what several sources saw is one. */
  get messages(): number {
    return this.#messages
  }

  push(messages: readonly FileMessage[]): FilePacket[] {
    for (const message of messages) this.#held.push(message)
    const newest = this.#held.at(-1)?.atMicros ?? 0
    return this.#settle(this.#held.length > maxHeld ? Infinity : newest - windowMicros)
  }

  end(): FilePacket[] {
    return this.#settle(Infinity)
  }

  #settle(untilMicros: number): FilePacket[] {
    this.#held = isSingle(this.#held)
      ? this.#takeSingles(this.#held, untilMicros)
      : this.#takeGroups(this.#held, untilMicros)
    const oldestHeld = this.#held[0]?.atMicros ?? Infinity
    const sorted = this.#ready.toSorted(compareStamps)
    const cut = sorted.findIndex(({ packet }) => packet.atMicros >= oldestHeld)
    const settled = cut === -1 ? sorted : sorted.slice(0, cut)
    this.#ready = cut === -1 ? [] : sorted.slice(cut)
    return settled.filter((packet) => this.#once.isNew(packet))
  }

  /** Answers what is held back, in order of time; so does the next. */
  #takeSingles(messages: readonly FileMessage[], untilMicros: number): FileMessage[] {
    const held: FileMessage[] = []
    for (const message of messages) {
      if (message.atMicros > untilMicros) held.push(message)
      else this.#take(message)
    }
    return held
  }

  #takeGroups(messages: readonly FileMessage[], untilMicros: number): FileMessage[] {
    const held: FileMessage[] = []
    for (const group of toGroups(messages)) {
      const youngest = group.reduce((at, { atMicros }) => Math.max(at, atMicros), 0)
      const best = group[0]
      if (youngest > untilMicros) held.push(...group)
      else if (best) this.#take(best)
    }
    return held.toSorted((a, b) => a.atMicros - b.atMicros)
  }

  #take(message: FileMessage): void {
    this.#messages += 1
    for (const packet of this.#toPackets(message)) this.#ready.push(packet)
  }
}

/** Where only one wire was looked at, every record is a message of its own: no parsing, no grouping. */
function isSingle(messages: readonly FileMessage[]): boolean {
  const source = messages[0]?.source
  return (
    source === undefined ||
    ((source === 'wire' || source === 'import') && messages.every((message) => message.source === source))
  )
}

/** Groups of sights of one message, the one to write first. */
function toGroups(messages: readonly FileMessage[]): FileMessage[][] {
  const byId = new Map(messages.map((message) => [message.id, message]))
  const groups: FileMessage[][] = []
  const observed = []
  for (const message of messages) {
    const parsed = parseMessage(message.payload)
    const { id, atMicros, source, transport, direction, src, dst } = message
    if (parsed.ok)
      observed.push({ id, atMicros, source, transport, direction, src, dst, message: parsed.message })
    else groups.push([message])
  }
  for (const sighting of mergeSightings(observed)) {
    const group = sighting.all.map(({ id }) => byId.get(id)).filter((message) => message !== undefined)
    groups.push(group.toSorted((a, b) => Number(b.frames.length > 0) - Number(a.frames.length > 0)))
  }
  return groups
}
