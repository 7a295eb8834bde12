import type { Test } from 'tap'
import { analyseCall, createCallJudge, type CallAnalysis, type CallJudge } from '../../src/call.ts'
import type { BlindPeriod, Finding } from '../../src/finding.ts'
import { splitLegs } from '../../src/leg.ts'
import type { ObservedMessage } from '../../src/observed-message.ts'
import { rulesFor } from '../../src/rule-selection.ts'
import { mergeSightings } from '../../src/sightings.ts'
import { verdictRules } from '../../src/verdict-rules.ts'
import { LegScript, micros, pbx, trunk } from '../conversation.ts'
import { shuffled } from '../healthy-calls.ts'

export type Script = LegScript | readonly ObservedMessage[]

function messagesOf(script: Script): readonly ObservedMessage[] {
  return 'messages' in script ? script.messages : script
}

/** The whole analysis as seen `seconds` after the start. */
export function seen(script: Script, seconds: number, blind: readonly BlindPeriod[] = []): CallAnalysis {
  return analyseCall(messagesOf(script), { nowMicros: micros(seconds), blind })
}

export function rules(script: Script, seconds: number): string[] {
  return seen(script, seconds).findings.map(({ ruleId }) => ruleId)
}

/** What a person is warned of. */
export function troubles(script: Script, seconds: number): string[] {
  return seen(script, seconds).findings.flatMap(({ ruleId, severity }) =>
    severity === 'warning' || severity === 'error' ? ruleId : [],
  )
}

/** The one finding of that rule; without it there is an error that says what there was instead. */
export function finding(script: Script, seconds: number, ruleId: string): Finding {
  const { findings } = seen(script, seconds)
  const found = findings.find((one) => one.ruleId === ruleId)
  if (!found)
    throw new Error(`no ${ruleId}, but ${findings.map((one) => one.ruleId).join(', ') || 'nothing'}`)
  return found
}

export interface Expectation extends Partial<Pick<Finding, 'severity' | 'side' | 'confidence' | 'title'>> {
  readonly at: number
  readonly sentence: string
  /** The troubles that hold beside it, in order, it included; without it there are no others. */
  readonly troubles?: readonly string[]
}

/** The call has it, it is told first, with that sentence and with evidence, and no other trouble is told. A judge that
 *  sees the messages one by one says the same as one that has them all. */
export function has(t: Test, ruleId: string, script: Script, expected: Expectation): Finding {
  const { at, sentence, troubles: beside, ...fields } = expected
  const { findings } = seen(script, at)
  const [first] = findings
  t.equal(first?.ruleId, ruleId, 'told first')
  const found = finding(script, at, ruleId)
  t.equal(found.sentence, sentence)
  t.match(found, fields)
  const isTrouble = found.severity === 'warning' || found.severity === 'error'
  t.same(troubles(script, at), beside ?? (isTrouble ? [ruleId] : []), 'no other trouble')
  const ids = new Set(messagesOf(script).map(({ id }) => id))
  t.ok(found.evidence.length > 0 && found.evidence.every((id) => ids.has(id)), 'evidence is of this call')
  judgesAlike(t, script, at)
  return found
}

/** The call has it as a remark: with that sentence, and no trouble is told. */
export function remarks(t: Test, ruleId: string, script: Script, expected: Expectation): Finding {
  const { at, sentence, troubles: beside, ...fields } = expected
  const found = finding(script, at, ruleId)
  t.equal(found.sentence, sentence)
  t.match(found, { severity: 'info', ...fields })
  t.same(troubles(script, at), beside ?? [], 'no trouble')
  judgesAlike(t, script, at)
  return found
}

/** The near twin: the call does not have it. */
export function lacks(t: Test, ruleId: string, script: Script, at: number, why: string): void {
  t.notOk(rules(script, at).includes(ruleId), `twin: ${why}`)
  judgesAlike(t, script, at)
}

/** One by one or all at once, after each message and at the end; and at the end whatever the order they came in. */
export function judgesAlike(t: Test, script: Script, at: number): void {
  const messages = messagesOf(script).toSorted((a, b) => a.atMicros - b.atMicros)
  const judge = createCallJudge()
  for (const [index, message] of messages.entries()) {
    judge.add(message)
    const context = { nowMicros: message.atMicros }
    const whole = analyseCall(messages.slice(0, index + 1), context)
    const grown = judge.analyse(context)
    if (JSON.stringify(grown.findings) !== JSON.stringify(whole.findings) || grown.state !== whole.state) {
      t.same(grown.findings, whole.findings, `message ${index + 1}: one by one as all at once`)
      t.equal(grown.state, whole.state)
      return
    }
  }
  const context = { nowMicros: micros(at) }
  const { findings, state } = analyseCall(messages, context)
  t.same(judge.analyse(context).findings, findings, 'one by one as all at once')
  saysNothingElsewhere(t, messages, context.nowMicros)
  for (const seed of [1, 2, 3]) {
    const late = judgeInTurn(shuffled(messages, seed)).analyse(context)
    t.same([late.state, late.findings], [state, findings], `in any order, seed ${seed}`)
  }
}

/** What a rule declares of the legs it is about is true: it has nothing to say where it is not asked. */
function saysNothingElsewhere(t: Test, messages: readonly ObservedMessage[], nowMicros: number): void {
  const legs = splitLegs(mergeSightings(messages))
  const said = legs.flatMap((leg) => {
    const asked = new Set(rulesFor(leg).map(({ rule }) => rule))
    return verdictRules.filter((rule) => !asked.has(rule) && rule.explain(leg, { nowMicros, legs }) !== null)
  })
  t.same(
    said.map(({ id }) => id),
    [],
    'no rule that is not asked would have said something',
  )
}

/** A judge that was asked after each message. */
export function judgeInTurn(messages: readonly ObservedMessage[]): CallJudge {
  const judge = createCallJudge()
  for (const message of messages) {
    judge.add(message)
    judge.analyse({ nowMicros: message.atMicros })
  }
  return judge
}

export const challenge = (nonce: string, more = '') => ({
  headers: [`WWW-Authenticate: Digest realm="asterisk",nonce="${nonce}",algorithm=MD5${more}`],
})

export const credentials = (nonce: string) => ({
  headers: [
    `Authorization: Digest username="1001",realm="asterisk",nonce="${nonce}",response="x"`,
    'Expires: 120',
  ],
})

export const register = () => new LegScript({ toUser: '1001' })
export const inbound = () => new LegScript()
export const outbound = () =>
  new LegScript({ caller: pbx, callee: trunk, direction: 'out', toUser: '004930123' })
