import t from 'tap'
import { analyseCall, createCallJudge } from '../../src/call.ts'
import { micros } from '../conversation.ts'
import { createRandom, healthyCall, shuffled } from '../healthy-calls.ts'
import { judgeInTurn } from './verdict-testing.ts'

const calls = 10_000

/** What is said at warning or above once the call is over, with the call that it is said of. */
function troublesOf(id: number): string[] {
  const { kind, messages, lastsSeconds } = healthyCall(id)
  const { findings } = analyseCall(messages, { nowMicros: micros(lastsSeconds + 300) })
  return findings.flatMap(({ ruleId, severity, sentence }) =>
    severity === 'warning' || severity === 'error' ? `call ${id} (${kind}): ${ruleId}: ${sentence}` : [],
  )
}

t.test('ten thousand healthy calls: nothing at warning or above once they are over', async (t) => {
  const found: string[] = []
  for (let id = 0; id < calls; id++) found.push(...troublesOf(id))
  t.same(found.slice(0, 10), [])
})

t.test('and nothing after any message while they run', async (t) => {
  const found: string[] = []
  for (let id = 0; id < 1500; id++) {
    const judge = createCallJudge()
    const { kind, messages } = healthyCall(id)
    for (const [index, message] of messages.entries()) {
      judge.add(message)
      for (const { ruleId, severity, sentence } of judge.analyse({ nowMicros: message.atMicros }).findings)
        if (severity === 'warning' || severity === 'error')
          found.push(`call ${id} (${kind}), message ${index + 1}: ${ruleId}: ${sentence}`)
    }
  }
  t.same(found.slice(0, 10), [])
})

t.test('in whatever order the messages come, the same is said as of all at once', async (t) => {
  const found: string[] = []
  for (let id = 0; id < 1200; id++) {
    const { kind, messages, lastsSeconds } = healthyCall(id)
    const context = { nowMicros: micros(lastsSeconds + 60) }
    const whole = analyseCall(messages, context)
    const grown = judgeInTurn(shuffled(messages, id)).analyse(context)
    const [said, wanted] = [grown, whole].map(({ state, from, to, endedAtMicros, findings }) =>
      JSON.stringify({ state, from, to, endedAtMicros, findings }),
    )
    if (said !== wanted) found.push(`call ${id} (${kind}): ${said} instead of ${wanted}`)
  }
  t.same(found.slice(0, 3), [])
})

t.test('every kind ends as it should', async (t) => {
  const first = new Map<string, Set<string>>()
  for (let id = 0; id < 600; id++) {
    const { kind, messages, lastsSeconds } = healthyCall(id)
    const { findings } = analyseCall(messages, { nowMicros: micros(lastsSeconds + 40) })
    const seen = first.get(kind) ?? new Set()
    first.set(kind, seen.add(findings[0]?.ruleId ?? 'nothing'))
  }
  for (const [kind, rules] of first)
    t.same(
      [...rules],
      kind === 'registration'
        ? ['R01-registered']
        : kind === 'qualify'
          ? ['nothing']
          : kind.includes('cancelled')
            ? ['S01-cancelled']
            : ['C01-completed'],
      kind,
    )
})

t.test(
  'a capture that loses three messages of a hundred makes no sure error out of a healthy call',
  async (t) => {
    const random = createRandom(7)
    const sure: string[] = []
    let troubled = 0
    for (let id = 0; id < 2000; id++) {
      const { kind, messages, lastsSeconds } = healthyCall(id)
      const captured = messages.filter(() => random() > 0.03)
      const { findings } = analyseCall(captured, { nowMicros: micros(lastsSeconds + 300) })
      if (findings.some(({ severity }) => severity === 'warning' || severity === 'error')) troubled++
      for (const { ruleId, severity, confidence } of findings)
        if (severity === 'error' && confidence === 'high') sure.push(`call ${id} (${kind}): ${ruleId}`)
    }
    t.same(sure, [])
    t.ok(troubled < 60, `${troubled} of 2000 calls with a warning`)
  },
)
