import { hostKey, type Host, type ObservedMessage } from './observed-message.ts'
import { identityOf, type Sighting } from './sightings.ts'

/** The same as in `mergeSightings`: two sources stamp one message within this. */
const toleranceMicros = 3_000_000

/** A tap shows a message that Asterisk sends to itself as sent and as received, a moment apart. */
const echoMicros = 100_000

/** Messages that wait for another source's sight of them; older ones are told apart by time anyway. */
const maxWaiting = 512

const ranks: readonly string[] = ['wire', 'import', 'ami-hep', 'ami-event', 'ami-history']

function rankOf(source: string): number {
  const rank = ranks.indexOf(source)
  return rank < 0 ? ranks.length : rank
}

class MergedSighting implements Sighting {
  message: ObservedMessage
  readonly all: ObservedMessage[]

  constructor(message: ObservedMessage) {
    this.message = message
    this.all = [message]
  }

  get id(): string {
    return this.message.id
  }

  get sources(): readonly string[] {
    return [...new Set(this.all.map(({ source }) => source))]
  }

  add(further: ObservedMessage): void {
    const rank = rankOf(further.source)
    const worse = this.all.findIndex(({ source }) => rankOf(source) > rank)
    this.all.splice(worse < 0 ? this.all.length : worse, 0, further)
    this.message = this.all[0] ?? further
  }
}

/** Observed messages one at a time, in about the order they came → sightings, as `mergeSightings` makes them of all at
 *  once. The cost of a message does not depend on how many came before. */
export class SightingMerger {
  readonly #recent = new Map<string, MergedSighting[]>()

  /** The sighting it is part of, and whether it is the first sight of it. */
  add(observed: ObservedMessage): { readonly sighting: Sighting; readonly isNew: boolean } {
    const key = identityOf(observed.message)
    if (key === '') return { sighting: new MergedSighting(observed), isNew: true }
    const waiting = this.#recent.get(key)
    const match = waiting && nearest(waiting, observed)
    if (match) {
      match.add(observed)
      return { sighting: match, isNew: false }
    }
    const sighting = new MergedSighting(observed)
    if (waiting === undefined) this.#recent.set(key, [sighting])
    else {
      const near = waiting.filter((one) => apart(one, observed) <= toleranceMicros * 2)
      // Taken out and put back, so that the map is in order of use and its first entry is the oldest.
      this.#recent.delete(key)
      this.#recent.set(key, [...near.slice(-16), sighting])
    }
    if (this.#recent.size > maxWaiting) this.#forgetOldest()
    return { sighting, isNew: true }
  }

  #forgetOldest(): void {
    const [oldest] = this.#recent.keys()
    if (oldest !== undefined) this.#recent.delete(oldest)
  }
}

function apart({ message }: Sighting, observed: ObservedMessage): number {
  return Math.abs(message.atMicros - observed.atMicros)
}

function nearest(waiting: readonly MergedSighting[], observed: ObservedMessage): MergedSighting | undefined {
  let best: MergedSighting | undefined
  let least = Number.POSITIVE_INFINITY
  for (const sighting of waiting) {
    const first = sighting.all.find(({ source }) => source === observed.source)
    const isPossible =
      first === undefined
        ? apart(sighting, observed) <= toleranceMicros
        : isEcho(first, observed) && isOnlyOf(sighting.all, observed.source)
    if (!isPossible) continue
    // Other addresses cost more than any time within the tolerance: a tap behind NAT still finds its message.
    const cost = apart(sighting, observed) + (agree(sighting.message, observed) ? 0 : toleranceMicros * 2)
    if (cost < least) {
      best = sighting
      least = cost
    }
  }
  return best
}

function isOnlyOf(all: readonly ObservedMessage[], source: string): boolean {
  let count = 0
  for (const one of all) if (one.source === source) count++
  return count === 1
}

function isEcho(first: ObservedMessage, next: ObservedMessage): boolean {
  if (!next.source.startsWith('ami-')) return false
  const after = next.atMicros - first.atMicros
  const isTurned = first.direction === 'out' && next.direction === 'in'
  if (next.source === 'ami-history') return isTurned && after <= 1_000_000
  return after <= echoMicros && (isTurned || first.direction === next.direction) && agree(first, next)
}

/** False only when known addresses differ. */
function agree(a: ObservedMessage, b: ObservedMessage): boolean {
  return mayBeSame(a.src, b.src) && mayBeSame(a.dst, b.dst)
}

function mayBeSame(a: Host, b: Host): boolean {
  const left = hostKey(a)
  const right = hostKey(b)
  return left === right || left === '' || right === ''
}
