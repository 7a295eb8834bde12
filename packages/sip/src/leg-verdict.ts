import type {
  BlindPeriod,
  CallContext,
  CurrentOption,
  Explanation,
  MediaReport,
  Severity,
  VerdictContext,
  VerdictRule,
} from './finding.ts'
import type { Leg } from './leg.ts'
import { rulesFor, type RankedRule } from './rule-selection.ts'
import { duration } from './wording.ts'

export interface Judged {
  readonly leg: Leg
  readonly rule: VerdictRule
  /** Place in the list of rules; -1 for one that is told before all others. */
  readonly rank: number
  readonly explanation: Explanation
  /** The same on further legs. */
  readonly also: readonly Judged[]
}

/** The worst first. */
export const severityRank: Readonly<Record<Severity, number>> = { error: 0, warning: 1, ok: 2, info: 3 }

export const milder: Readonly<Record<Severity, Severity>> = {
  error: 'warning',
  warning: 'info',
  ok: 'ok',
  info: 'info',
}

const none: readonly Judged[] = []

/** The context as a rule sees it; notes whether the rule looked. */
export class WatchedContext implements CallContext {
  wasAsked = false
  readonly #call: VerdictContext
  readonly #legs: readonly Leg[]

  constructor(call: VerdictContext, legs: readonly Leg[]) {
    this.#call = call
    this.#legs = legs
  }

  get nowMicros(): number {
    this.wasAsked = true
    return this.#call.nowMicros
  }

  get legs(): readonly Leg[] {
    this.wasAsked = true
    return this.#legs
  }

  get blind(): readonly BlindPeriod[] | undefined {
    this.wasAsked = true
    return this.#call.blind
  }

  get media(): readonly MediaReport[] | undefined {
    this.wasAsked = true
    return this.#call.media
  }

  get currentOptions(): readonly CurrentOption[] | undefined {
    this.wasAsked = true
    return this.#call.currentOptions
  }
}

/** What the rules say of one leg. A rule that looked only at the leg is not asked again before the leg has changed. */
export class LegVerdict {
  readonly leg: Leg
  #revision = -1
  #rules: readonly RankedRule[] = []
  /** By place in `#rules`; undefined: to be asked. */
  readonly #answers: (Explanation | null | undefined)[] = []

  constructor(leg: Leg) {
    this.leg = leg
  }

  /** Adds to `found`. */
  judge(context: WatchedContext, found: Judged[]): void {
    const { leg } = this
    if (leg.revision !== this.#revision) {
      this.#revision = leg.revision
      this.#rules = rulesFor(leg)
      this.#answers.length = 0
    }
    const before = found.length
    let hasOutcome = false
    let isCause = false
    for (let index = 0; index < this.#rules.length; index++) {
      const ranked = this.#rules[index]
      if (ranked === undefined) break
      const { rule, rank } = ranked
      if (rule.kind === 'outcome' && hasOutcome) continue
      let explanation = this.#answers[index]
      if (explanation === undefined) {
        context.wasAsked = false
        explanation = rule.explain(leg, context)
        this.#answers[index] = context.wasAsked ? undefined : explanation
      }
      if (explanation === null) continue
      hasOutcome ||= rule.kind === 'outcome'
      isCause ||= rule.leadsTo !== undefined
      found.push({ leg, rule, rank, explanation: withDoubt(explanation, leg, context), also: none })
    }
    if (isCause && found.length > before + 1) found.push(...raiseCauses(found.splice(before)))
  }
}

/** A private Contact is a warning; when the ACK got lost for it, it is the error. */
function raiseCauses(found: readonly Judged[]): Judged[] {
  return found.map((one) => {
    const effects = found.filter(({ rule }) => one.rule.leadsTo?.includes(rule.id))
    if (effects.length === 0 || one.explanation.isHarmless === true) return one
    const worst = effects.reduce<Severity>(
      (most, { explanation }) =>
        severityRank[explanation.severity] < severityRank[most] ? explanation.severity : most,
      one.explanation.severity,
    )
    const atMicros = Math.min(
      one.explanation.atMicros,
      ...effects.map(({ explanation }) => explanation.atMicros),
    )
    return { ...one, rank: -1, explanation: { ...one.explanation, severity: worst, atMicros } }
  })
}

/** Engine rule 4: "not seen" is not "not sent" when nobody could see it. */
function withDoubt(explanation: Explanation, leg: Leg, { nowMicros, blind }: VerdictContext): Explanation {
  const since = explanation.absentSinceMicros
  if (since === undefined) return explanation
  const isOneWay = !leg.isTwoWay && leg.dialogs.some(({ state }) => state !== 'early')
  const period = blind?.find(({ fromMicros, toMicros }) => fromMicros <= nowMicros && toMicros >= since)
  const doubt = isOneWay
    ? ' Only one direction of this leg was captured, so what is missing may have passed unseen.'
    : period
      ? blindnessText(period)
      : explanation.confidence === 'low'
        ? leg.isImported
          ? ' The file may also end before it.'
          : ''
        : undefined
  if (doubt === undefined) return explanation
  return {
    ...explanation,
    severity: milder[explanation.severity],
    confidence: 'low',
    sentence: explanation.sentence + doubt,
  }
}

function blindnessText({ fromMicros, toMicros, why }: BlindPeriod): string {
  const what = why === 'gap' ? 'The capture has a gap of' : 'What passed was encrypted for'
  return ` ${what} ${duration(toMicros - fromMicros)} there, so what is missing may have passed unseen.`
}
