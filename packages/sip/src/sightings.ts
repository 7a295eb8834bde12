import type { SipMessage } from './message.ts'
import { hostKey, type ObservedMessage } from './observed-message.ts'

/** One real message, and every source's sight of it. */
export interface Sighting {
  /** The id of the best sight. */
  readonly id: string
  /** The best sight: exact bytes and stamps before re-printed ones. */
  readonly message: ObservedMessage
  /** All sights, the best first. */
  readonly all: readonly ObservedMessage[]
  /** Each source once, the best first. */
  readonly sources: readonly string[]
  /** False when surely no other sighting has the same start line, tags, branch and so on, which a retransmission has. */
  readonly mayRepeat?: boolean
}

/** Two sources stamp one message within this: the history tap has whole seconds, and clocks differ a little. */
const toleranceMicros = 3_000_000

/** A tap shows a message that Asterisk sends to itself as sent and as received, a moment apart. A UDP retransmission
 *  comes T1 = 500 ms later (RFC 3261 17.1.1.1). */
const echoMicros = 100_000

const sourceRank: ReadonlyMap<string, number> = new Map([
  ['wire', 0],
  ['import', 1],
  ['ami-hep', 2],
  ['ami-event', 3],
  ['ami-history', 4],
])

function rankOf(source: string): number {
  return sourceRank.get(source) ?? 9
}

function isTap(source: string): boolean {
  return source.startsWith('ami-')
}

/** Equal for all sights of one message, whoever saw it and even if it was printed anew: 32 hex digits over what
 *  survives that (start line, Call-ID, CSeq, tags, top branch). Equal for retransmissions too. `''` for a message that
 *  has neither Call-ID nor branch and cannot be recognised. Not cryptographic: hostile messages may collide, so compare
 *  the Call-ID as well before showing two as one. */
export function sightingKey(message: SipMessage): string {
  return hashIdentity(identityOf(message))
}

/** `sightingKey` of a message by its identity. */
export function hashIdentity(identity: string): string {
  return identity === '' ? '' : hash128(identity)
}

/** What tells a message from others. */
export interface Identity {
  /** The method of a request, the status code of a response. */
  readonly start: string
  readonly cseq: { readonly number: number; readonly method: string } | null
  readonly fromTag: string
  readonly toTag: string
  readonly branch: string
  readonly callId: string
}

/** The same in full, so that nobody can make two messages look like one: longer, and cheaper to make. */
export function identityOf(message: SipMessage): string {
  const { fromTag, toTag, branch, callId, cseq } = message
  const start = message.kind === 'request' ? message.method : `${message.status ?? ''}`
  return toIdentity({ start, cseq, fromTag, toTag, branch, callId })
}

/** `identityOf` where the parts are known and the message is not at hand. */
export function toIdentity({ start, cseq, fromTag, toTag, branch, callId }: Identity): string {
  if (callId === '' && branch === '') return ''
  const number = cseq === null ? '' : `${cseq.number} ${cseq.method}`
  return `${start}\0${number}\0${fromTag}\0${toTag}\0${branch}\0${callId}`
}

/** Four FNV-like lanes, mixed at the end as MurmurHash3 does. */
function hash128(text: string): string {
  let a = 0x9e3779b9
  let b = 0x243f6a88
  let c = 0xb7e15162
  let d = 0xdeadbeef
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    a = Math.imul(a ^ code, 0x85ebca6b)
    b = Math.imul(b ^ code, 0xc2b2ae35) + a
    c = Math.imul(c ^ code, 0x27d4eb2f) ^ (b >>> 15)
    d = Math.imul(d ^ code, 0x165667b1) + c
    a ^= d >>> 13
  }
  return finish(a + d) + finish(b + a) + finish(c + b) + finish(d + c)
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function finish(lane: number): string {
  let h = lane
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  h ^= h >>> 16
  return `${hexOfByte[h >>> 24]}${hexOfByte[(h >>> 16) & 0xff]}${hexOfByte[(h >>> 8) & 0xff]}${hexOfByte[h & 0xff]}`
}

interface Cluster {
  readonly all: ObservedMessage[]
  readonly first: ObservedMessage
}

/** Observed messages in any order → one sighting for each real message, in order of time. The n-th occurrence in one
 *  source is the n-th in another when both saw equally many, else the nearest in time; never more than 3 s apart. A
 *  retransmission stays a message of its own; so does a copy of the same message between other addresses on the wire
 *  (a NAT hop). Nearly linear, also in a flood. */
export function mergeSightings(messages: readonly ObservedMessage[]): Sighting[] {
  const groups = new Map<string, ObservedMessage[]>()
  const sightings: Sighting[] = []
  for (const observed of messages) {
    // Not the hash, which may be forged.
    const key = identityOf(observed.message)
    if (key === '') {
      sightings.push(toSighting({ first: observed, all: [observed] }, true))
      continue
    }
    const group = groups.get(key)
    if (group) group.push(observed)
    else groups.set(key, [observed])
  }
  for (const group of groups.values()) {
    const [only] = group
    if (group.length === 1 && only !== undefined) {
      sightings.push(toSighting({ first: only, all: group }, false))
      continue
    }
    const clusters = clusterGroup(group)
    for (const cluster of clusters) sightings.push(toSighting(cluster, clusters.length > 1))
  }
  return sightings.sort((a, b) => a.message.atMicros - b.message.atMicros)
}

function clusterGroup(group: readonly ObservedMessage[]): Cluster[] {
  const bySource = new Map<string, ObservedMessage[]>()
  for (const observed of group) {
    const list = bySource.get(observed.source)
    if (list) list.push(observed)
    else bySource.set(observed.source, [observed])
  }
  let clusters: Cluster[] = []
  for (const [, list] of [...bySource].toSorted(([a], [b]) => rankOf(a) - rankOf(b))) {
    const occurrences = toOccurrences(list.toSorted((a, b) => a.atMicros - b.atMicros))
    clusters = clusters.length === 0 ? occurrences : pair(clusters, occurrences)
  }
  return clusters
}

/** The sights of one source → its occurrences of the message: what Asterisk sent to itself is one. */
function toOccurrences(list: readonly ObservedMessage[]): Cluster[] {
  const occurrences: Cluster[] = []
  for (const observed of list) {
    const last = occurrences.at(-1)
    if (last !== undefined && isTap(observed.source) && isEcho(last, observed)) last.all.push(observed)
    else occurrences.push({ first: observed, all: [observed] })
  }
  return occurrences
}

function isEcho(cluster: Cluster, next: ObservedMessage): boolean {
  if (cluster.all.length !== 1) return false
  const { first } = cluster
  const apart = next.atMicros - first.atMicros
  const isTurned = first.direction === 'out' && next.direction === 'in'
  // Whole-second stamps cannot tell a moment from a second; there the directions must.
  if (next.source === 'ami-history') return isTurned && apart <= 1_000_000
  // Of two PBXs that watch one message between them, the receiver's clock may be the earlier one.
  const agreement = agree(first, next)
  return (
    apart <= echoMicros &&
    (agreement === 2 || (agreement === 1 && (isTurned || first.direction === next.direction)))
  )
}

/** 2: same addresses as far as known; 0: they differ; 1: nothing known to compare. */
function agree(a: ObservedMessage, b: ObservedMessage): 0 | 1 | 2 {
  let compared = false
  for (const side of ['src', 'dst'] as const) {
    const left = hostKey(a[side])
    const right = hostKey(b[side])
    if (left === '' || right === '') continue
    if (left !== right) return 0
    compared = true
  }
  return compared ? 2 : 1
}

/** More pairs than these to choose among is a flood of one message, not a call. */
const closeLookLimit = 10_000

/** `pair` for a flood: both lists are in order of time and are walked once. */
function pairInOrder(clusters: readonly Cluster[], occurrences: readonly Cluster[]): Cluster[] {
  const left: Cluster[] = []
  let at = 0
  for (const occurrence of occurrences) {
    const earliest = occurrence.first.atMicros - toleranceMicros
    while ((clusters[at]?.first.atMicros ?? Number.POSITIVE_INFINITY) < earliest) at++
    const cluster = clusters[at]
    if (cluster !== undefined && isNear(cluster, occurrence)) {
      cluster.all.push(...occurrence.all)
      at++
    } else left.push(occurrence)
  }
  return [...clusters, ...left].toSorted((a, b) => a.first.atMicros - b.first.atMicros)
}

/** Adds the occurrences of a further source to the clusters; what fits none becomes a cluster of its own. */
function pair(clusters: readonly Cluster[], occurrences: readonly Cluster[]): Cluster[] {
  if (clusters.length * occurrences.length > closeLookLimit) return pairInOrder(clusters, occurrences)
  const free = new Set(clusters)
  const left: Cluster[] = []
  const inOrder = clusters.length === occurrences.length
  for (const [index, occurrence] of occurrences.entries()) {
    const same = inOrder ? clusters[index] : undefined
    const match =
      same !== undefined &&
      free.has(same) &&
      isNear(same, occurrence) &&
      agree(same.first, occurrence.first) > 0
        ? same
        : nearest(free, occurrence)
    if (match === undefined) left.push(occurrence)
    else {
      free.delete(match)
      match.all.push(...occurrence.all)
    }
  }
  return [...clusters, ...left].toSorted((a, b) => a.first.atMicros - b.first.atMicros)
}

function isNear(a: Cluster, b: Cluster): boolean {
  return Math.abs(a.first.atMicros - b.first.atMicros) <= toleranceMicros
}

function nearest(free: ReadonlySet<Cluster>, occurrence: Cluster): Cluster | undefined {
  let best: Cluster | undefined
  let bestCost = Number.POSITIVE_INFINITY
  for (const cluster of free) {
    if (!isNear(cluster, occurrence)) continue
    // Other addresses cost more than any time within the tolerance: a tap behind NAT still finds its message.
    const differs = agree(cluster.first, occurrence.first) === 0 ? toleranceMicros * 2 : 0
    const cost = differs + Math.abs(cluster.first.atMicros - occurrence.first.atMicros)
    if (cost < bestCost) {
      best = cluster
      bestCost = cost
    }
  }
  return best
}

function toSighting(cluster: Cluster, mayRepeat: boolean): Sighting {
  const { first } = cluster
  if (cluster.all.length === 1)
    return { id: first.id, message: first, all: cluster.all, sources: [first.source], mayRepeat }
  const all = cluster.all.toSorted((a, b) => rankOf(a.source) - rankOf(b.source))
  const best = all[0] ?? first
  return { id: best.id, message: best, all, sources: [...new Set(all.map((one) => one.source))], mayRepeat }
}
