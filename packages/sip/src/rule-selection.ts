import type { VerdictRule } from './finding.ts'
import { legSigns, signBits } from './leg-signs.ts'
import { statusOf, type Leg } from './leg.ts'
import { verdictRules } from './verdict-rules.ts'

export interface RankedRule {
  readonly rule: VerdictRule
  /** Place in the list of rules: the specific before the generic. */
  readonly rank: number
}

/** The methods that rules ask for. */
const methods: readonly string[] = [...new Set(verdictRules.flatMap(({ methods: own = [] }) => own))]

interface Selectable extends RankedRule {
  /** Of what it asks for, the methods by their place, the signs behind them; 0: it is about every leg. */
  readonly methodBits: number
  readonly signBits: number
}

const ranked: readonly Selectable[] = verdictRules.map((rule, rank) => ({
  rule,
  rank,
  methodBits: (rule.methods ?? []).reduce((bits, method) => bits | (1 << methods.indexOf(method)), 0),
  signBits: signBits(rule.signs ?? []),
}))

/** Legs are of few kinds; whoever makes up more of them on purpose only costs the time to select again. */
const maxKinds = 512
const known = new Map<number, readonly RankedRule[]>()

/** The rules that can have something to say of such a leg, in their order. */
export function rulesFor(leg: Leg): readonly RankedRule[] {
  let present = 0
  for (let place = 0; place < methods.length; place++)
    if (leg.of(methods[place] ?? '').length > 0) present |= 1 << place
  const status = statusOf(leg.attempt?.final ?? null)
  const { signs } = leg
  // A status has at most three digits.
  const kind = ((present << legSigns.length) | signs) * 1000 + status
  let rules = known.get(kind)
  if (rules === undefined) {
    rules = ranked.filter((one) => isAbout(one, present, signs, status))
    if (known.size >= maxKinds) known.clear()
    known.set(kind, rules)
  }
  return rules
}

function isAbout(one: Selectable, methodsSeen: number, signsSeen: number, status: number): boolean {
  return (
    (one.methodBits === 0 || (one.methodBits & methodsSeen) !== 0) &&
    (one.signBits === 0 || (one.signBits & signsSeen) !== 0) &&
    one.rule.isOfFinal?.(status) !== false
  )
}
