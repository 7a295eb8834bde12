import type { VerdictRule } from './finding.ts'
import { statusOf, type Leg } from './leg.ts'
import { verdictRules } from './verdict-rules.ts'

export interface RankedRule {
  readonly rule: VerdictRule
  /** Place in the list of rules: the specific before the generic. */
  readonly rank: number
}

const ranked: readonly RankedRule[] = verdictRules.map((rule, rank) => ({ rule, rank }))

/** The methods that a rule asks for, each with a bit of its own. */
const bits: ReadonlyMap<string, number> = new Map(
  [...new Set(verdictRules.flatMap(({ methods = [] }) => methods))].map((method, index) => [
    method,
    1 << index,
  ]),
)

/** Legs are of few kinds; whoever makes up more of them on purpose only costs the time to select again. */
const maxKinds = 512
const known = new Map<number, readonly RankedRule[]>()

/** The rules that can have something to say of such a leg, in their order. */
export function rulesFor(leg: Leg): readonly RankedRule[] {
  let methods = 0
  for (const [method, bit] of bits) if (leg.of(method).length > 0) methods |= bit
  const status = statusOf(leg.attempt?.final ?? null)
  // A status has at most three digits.
  const kind = methods * 1000 + status
  let rules = known.get(kind)
  if (rules === undefined) {
    rules = ranked.filter(({ rule }) => isAbout(rule, methods, status))
    if (known.size >= maxKinds) known.clear()
    known.set(kind, rules)
  }
  return rules
}

function isAbout({ methods, isOfFinal }: VerdictRule, present: number, status: number): boolean {
  const hasMethod =
    methods === undefined || methods.some((method) => ((bits.get(method) ?? 0) & present) !== 0)
  return hasMethod && isOfFinal?.(status) !== false
}
