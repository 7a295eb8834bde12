import type { Leg } from './leg.ts'
import { splitLegs } from './leg.ts'
import { comparisonAspects, factsOf, isAnswered, type ComparisonAspect, type LegFact } from './leg-facts.ts'
import type { ObservedMessage } from './observed-message.ts'
import { mergeSightings } from './sightings.ts'
import type { Transaction } from './transaction.ts'
import { nameOf } from './wording.ts'

/** One thing that is not the same in two calls. */
export interface CallDifference {
  readonly aspect: ComparisonAspect
  /** Which leg of the first call, from 1; null for a leg that only the other has. */
  readonly leg: number | null
  /** `Codecs offered`, `Privacy in the INVITE`. */
  readonly what: string
  /** `''`: it has none. */
  readonly bad: string
  readonly good: string
}

const maxLegs = 16
const maxDifferences = 200

/** A time differs when it is more than half a second and more than twice as long, or less than half. */
const sameTimeMicros = 500_000

/** Two calls of the same kind → what differs and may matter, by leg, and within a leg by aspect. Legs are the same when
 *  they go the same way to the same far side. Pure; never throws on any message. */
export function compareCalls(
  bad: readonly ObservedMessage[],
  good: readonly ObservedMessage[],
): CallDifference[] {
  const goodLegs = legsOf(good)
  const differences: CallDifference[] = []
  for (const [index, leg] of legsOf(bad).entries()) {
    const partner = takePartner(leg, goodLegs, index)
    if (partner === undefined) {
      differences.push({ aspect: 'route', leg: index + 1, what: 'Leg', bad: legText(leg), good: '' })
      continue
    }
    differences.push(...compareLegs(leg, partner, index + 1))
  }
  for (const leg of goodLegs)
    differences.push({ aspect: 'route', leg: null, what: 'Leg', bad: '', good: legText(leg) })
  return differences.slice(0, maxDifferences)
}

function legsOf(messages: readonly ObservedMessage[]): Leg[] {
  return splitLegs(mergeSightings(messages))
    .filter(({ attempt }) => attempt !== null)
    .slice(0, maxLegs)
}

/** Takes it out of the list. */
function takePartner(leg: Leg, candidates: Leg[], index: number): Leg | undefined {
  const isSameWay = (one: Leg) => one.attempt?.direction === leg.attempt?.direction
  const isSameFar = (one: Leg) => isSameWay(one) && farOf(one.attempt) === farOf(leg.attempt)
  const far = candidates.find(isSameFar)
  // The called side may be another by now: then the leg that goes the same way.
  const found = far ?? candidates.find(isSameWay) ?? (index === 0 ? candidates[0] : undefined)
  if (found !== undefined) candidates.splice(candidates.indexOf(found), 1)
  return found
}

function farOf(attempt: Transaction | null): string {
  if (attempt === null) return ''
  const endpoint = (attempt.request ?? attempt.responses[0])?.message.endpoint
  const far = attempt.direction === 'in' ? attempt.client : attempt.server
  return endpoint ?? far.name ?? far.address
}

function legText({ attempt }: Leg): string {
  if (attempt === null) return ''
  return attempt.direction === 'in' ? `from ${nameOf(attempt, 'client')}` : `to ${nameOf(attempt, 'server')}`
}

function compareLegs(bad: Leg, good: Leg, number: number): CallDifference[] {
  const badFacts = new Map(factsOf(bad).map((one) => [one.what, one]))
  const goodFacts = new Map(factsOf(good).map((one) => [one.what, one]))
  const bothAnswered = isAnswered(bad) && isAnswered(good)
  const names = [...new Set([...badFacts.keys(), ...goodFacts.keys()])]
  return names
    .flatMap((what): CallDifference[] => {
      const [mine, theirs] = [badFacts.get(what), goodFacts.get(what)]
      const aspect = (mine ?? theirs)?.aspect
      if (aspect === undefined || isSame(mine, theirs)) return []
      if ((mine ?? theirs)?.isOfAnswer === true && !bothAnswered) return []
      return [{ aspect, leg: number, what, bad: mine?.value ?? '', good: theirs?.value ?? '' }]
    })
    .toSorted((a, b) => comparisonAspects.indexOf(a.aspect) - comparisonAspects.indexOf(b.aspect))
}

function isSame(one: LegFact | undefined, other: LegFact | undefined): boolean {
  if ((one?.value ?? '') === (other?.value ?? '')) return true
  if (one?.micros === undefined || other?.micros === undefined) return false
  const [short, long] = one.micros < other.micros ? [one.micros, other.micros] : [other.micros, one.micros]
  return long - short <= sameTimeMicros || long <= 2 * short
}
