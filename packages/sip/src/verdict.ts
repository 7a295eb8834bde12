import { endpointOf, withCurrentValue } from './current-options.ts'
import type { Explanation, Finding, Severity, VerdictContext, VerdictRule } from './finding.ts'
import { milder, severityRank, WatchedContext, type Judged, type LegVerdict } from './leg-verdict.ts'
import { isBehind, stampErrorMicros } from './leg-order.ts'
import { statusOf, type Leg } from './leg.ts'
import type { Standing } from './standing.ts'
import { nameOf } from './wording.ts'

/** All rules over all legs → findings: the worst first, then causes before effects, the specific before the generic. What
 *  only passes on another leg's failure is left to that one; the same finding on several legs is told once. `verdicts`: those
 *  of the legs, in order of their first message. Unless there is trouble, the first says what `standing` says. */
export function judge(
  verdicts: readonly LegVerdict[],
  context: VerdictContext,
  standing: Standing | null,
): Finding[] {
  const legs = verdicts.map(({ leg }) => leg)
  const watched = new WatchedContext(context, legs)
  const judged: Judged[] = []
  for (const verdict of verdicts) verdict.judge(watched, judged)
  const told = legs.length > 1 ? mergeSame(settleLegs(judged, legs, standing), standing) : judged
  if (told.length > 1) told.sort((a, b) => byWeight(a, b, standing))
  return told.map((one) => toFinding(one, context))
}

function byWeight(a: Judged, b: Judged, standing: Standing | null): number {
  return (
    weightOf(a, standing) - weightOf(b, standing) ||
    a.explanation.atMicros - b.explanation.atMicros ||
    a.rank - b.rank
  )
}

/** Behind all trouble and before all else: how the call stands. */
const headlineWeight = severityRank.warning + 0.5

function weightOf(one: Judged, standing: Standing | null): number {
  const weight = severityRank[one.explanation.severity]
  return weight > headlineWeight && isHeadline(one, standing) ? headlineWeight : weight
}

/** True for what says why the call has the state that it has. */
function isHeadline({ rule, leg }: Judged, standing: Standing | null): boolean {
  return rule.kind === 'outcome' && leg === standing?.leg
}

/** Without what another leg explains, and milder where it did not hurt. */
function settleLegs(judged: Judged[], legs: readonly Leg[], standing: Standing | null): Judged[] {
  if (!judged.some(({ explanation }) => explanation.isFailure === true)) return judged
  const effects = new Map<Judged, Judged>()
  for (const one of judged) {
    const cause = one.explanation.isFailure === true ? findCause(one, judged) : undefined
    if (cause !== undefined) effects.set(one, cause)
  }
  const kept: Judged[] = []
  for (const one of judged) {
    if (effects.has(one)) continue
    const passedOn = [...effects.keys()].filter((effect) => rootOf(effect, effects) === one)
    const explanation = isRescued(one, legs, standing)
      ? { ...one.explanation, severity: milder[one.explanation.severity] }
      : one.explanation
    kept.push({
      ...one,
      explanation: passedOn.length === 0 ? explanation : withEvidence(explanation, passedOn),
    })
  }
  return kept
}

function rootOf(one: Judged, effects: ReadonlyMap<Judged, Judged>): Judged {
  let root = one
  // Legs follow one another in time, so that there is no circle; the bound is for stamps that lie.
  for (let steps = 0; steps < 8; steps++) {
    const next = effects.get(root)
    if (next === undefined) break
    root = next
  }
  return root
}

/** The failure on a leg behind that this leg's failure passes on: of several the one with the same code, else the last
 *  before it. */
function findCause(effect: Judged, judged: readonly Judged[]): Judged | undefined {
  const front = effect.leg.attempt
  if (front === null) return undefined
  const until = effect.explanation.atMicros + stampErrorMicros
  const candidates = judged.filter(({ leg, rule, explanation }) => {
    const behind = leg.attempt
    if (behind === null || leg === effect.leg || explanation.isFailure !== true) return false
    if (explanation.atMicros > until && rule.id !== effect.rule.id) return false
    return isBehind(behind, front)
  })
  const status = statusOf(front.final)
  return (
    candidates.findLast(({ leg }) => status > 0 && statusOf(leg.attempt?.final ?? null) === status) ??
    candidates.toSorted((a, b) => a.explanation.atMicros - b.explanation.atMicros).at(-1)
  )
}

/** True when the call was answered all the same: by another leg behind the same caller or beside it, or by the front itself. */
function isRescued({ leg, explanation }: Judged, legs: readonly Leg[], standing: Standing | null): boolean {
  const { attempt } = leg
  if (attempt === null || explanation.isFailure !== true) return false
  if (standing?.failedTries.includes(leg) === true) return true
  return legs.some((front) => {
    if (front === leg || front.attempt === null || !isBehind(attempt, front.attempt)) return false
    const answer = front.dialogs.find((dialog) => dialog.answer !== null)?.answer
    return answer !== undefined && answer !== null && answer.message.atMicros > attempt.startedAtMicros
  })
}

/** Each rule once: what it says of the leg that gives the call its state, else of the one that had it first, with the
 *  evidence of the others. */
function mergeSame(judged: readonly Judged[], standing: Standing | null): Judged[] {
  if (judged.length < 2) return [...judged]
  const byRule = new Map<VerdictRule, Judged[]>()
  for (const one of judged) {
    const same = byRule.get(one.rule)
    if (same) same.push(one)
    else byRule.set(one.rule, [one])
  }
  if (byRule.size === judged.length) return [...judged]
  return [...byRule.values()].flatMap((same) => {
    if (same.length === 1) return same
    const [first, ...also] = same.sort(
      (a, b) =>
        Number(isHeadline(b, standing)) - Number(isHeadline(a, standing)) ||
        a.explanation.atMicros - b.explanation.atMicros,
    )
    return first ? { ...first, also, explanation: withEvidence(first.explanation, also) } : []
  })
}

function withEvidence(told: Explanation, further: readonly Judged[]): Explanation {
  const evidence = new Set(told.evidence)
  for (const { explanation } of further) for (const id of explanation.evidence) evidence.add(id)
  return { ...told, evidence: [...evidence] }
}

/** More evidence than this proves nothing more. */
const maxEvidence = 24

function toFinding({ leg, rule, explanation, also }: Judged, context: VerdictContext): Finding {
  const { severity, side, confidence, sentence, evidence } = explanation
  const options = explanation.options ?? rule.options ?? []
  const endpoint = options.length === 0 ? undefined : endpointOf(leg)
  return {
    ruleId: rule.id,
    severity,
    side,
    confidence,
    title: explanation.title ?? rule.title,
    sentence: sentence + alsoText(leg, also, severity),
    evidence: evidence.length > maxEvidence ? evidence.slice(0, maxEvidence) : [...evidence],
    checks: [...(explanation.checks ?? rule.checks)],
    rfc: [...(explanation.rfc ?? rule.rfc)],
    options: options.map((one) => withCurrentValue(one, endpoint, context)),
  }
}

/** ` The same on the leg to bravo (203.0.113.10:5060).` */
function alsoText(leg: Leg, also: readonly Judged[], severity: Severity): string {
  if (severity === 'ok' || severity === 'info' || also.length === 0) return ''
  const own = leg.attempt === null ? '' : nameOf(leg.attempt, 'server')
  const names = new Set(also.flatMap((one) => (one.leg.attempt ? [nameOf(one.leg.attempt, 'server')] : [])))
  names.delete(own)
  const [first, ...others] = names
  if (first === undefined) return ''
  return ` The same on the leg to ${first}${others.length === 0 ? '' : ` and ${others.length} more`}.`
}
