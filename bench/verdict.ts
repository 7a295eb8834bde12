import { createCallJudge, type CallJudge } from '@sip-capture/sip/call.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { answered, LegScript, pbx, trunk } from '../packages/sip/test/conversation.ts'
import { healthyCall } from '../packages/sip/test/healthy-calls.ts'
import { median } from './figures.ts'
import type { RunRow } from './row.ts'

/** Two seconds of traffic at 10,000 messages/s. */
const callsAtOnce = 1_040
/** A minute of judges stays in memory. */
const keptRounds = 30
const dialogMethods = ['OPTIONS', 'NOTIFY', 'INVITE'] as const

/** By processor time, all threads of the process: every message is added to its call and the whole call is judged after it,
 *  as fast as it goes. The compiler's work is in the mean over all. */
export const run: RunRow = async ({ pick, say }) => {
  const rounds = pick(4, 30, 150)
  const kept: ReadonlyMap<number, CallJudge>[] = []
  const costs: { messages: number; micros: number }[] = []
  for (let round = 0; round < rounds; round++) {
    const { judges, ...cost } = judgeCalls(round * callsAtOnce)
    kept.push(judges)
    if (kept.length > keptRounds) kept.shift()
    costs.push(cost)
    say(`${(cost.micros / cost.messages).toFixed(1)} µs a message`)
  }
  const dialogs = dialogMethods.map((method) => judgeDialog(method))
  const total = costs.reduce((sum, { messages }) => sum + messages, 0)
  return [
    {
      name: `verdict: judging after each of ${total.toLocaleString('en-US')} messages, mean`,
      value: costs.reduce((sum, { micros }) => sum + micros, 0) / total,
      unit: 'µs',
      atMost: 50,
    },
    {
      name: 'verdict: the same, median of rounds of 1,040 calls',
      value: median(costs.map(({ messages, micros }) => micros / messages)),
      unit: 'µs',
    },
    ...dialogs.map(({ first, last }, index) => ({
      name: `verdict: one dialog of 10,000 messages, ${dialogMethods[index]}: its last thousand (first: ${first.toFixed(1)})`,
      value: last,
      unit: 'µs',
      atMost: 50,
    })),
  ]
}

function cpuMicros(): number {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** Fields are read when first asked for: a message that was judged before would be cheaper than a live one. */
function fresh(observed: ObservedMessage): ObservedMessage {
  const parsed = parseMessage(observed.message.bytes)
  return parsed.ok ? { ...observed, message: parsed.message } : observed
}

/** Healthy calls of all kinds, their messages mixed as they come. */
function judgeCalls(firstId: number): {
  messages: number
  micros: number
  judges: ReadonlyMap<number, CallJudge>
} {
  const mixed = Array.from({ length: callsAtOnce }, (_, index) => firstId + index)
    .flatMap((id) => healthyCall(id).messages.map((message) => ({ id, message: fresh(message) })))
    .toSorted((a, b) => a.message.atMicros - b.message.atMicros)
  const judges = new Map<number, CallJudge>()
  const before = cpuMicros()
  for (const { id, message } of mixed) {
    let judge = judges.get(id)
    if (judge === undefined) {
      judge = createCallJudge()
      judges.set(id, judge)
    }
    judge.add(message)
    judge.analyse({ nowMicros: message.atMicros })
  }
  return { messages: mixed.length, micros: cpuMicros() - before, judges }
}

/** µs a message of the first and of the last thousand of 10,000: it must not grow. */
function judgeDialog(method: string): { first: number; last: number } {
  const messages = longDialog(method, 10_000)
  const judge = createCallJudge()
  const part = 1_000
  const costs: number[] = []
  for (let from = 0; from + part <= messages.length; from += part) {
    const before = cpuMicros()
    for (const message of messages.slice(from, from + part)) {
      judge.add(message)
      judge.analyse({ nowMicros: message.atMicros })
    }
    costs.push((cpuMicros() - before) / part)
  }
  return { first: costs[0] ?? Number.NaN, last: costs.at(-1) ?? Number.NaN }
}

function longDialog(method: string, count: number): ObservedMessage[] {
  const leg = answered(new LegScript({ caller: pbx, callee: trunk, direction: 'out' }))
  for (let index = 0; leg.messages.length < count; index++) {
    const cseq = index + 2
    leg.at(3 + index).request(method, { cseq, toTag: 'callee', withSdp: method === 'INVITE' })
    leg.response(200, 'OK', method, { cseq, withSdp: method === 'INVITE' })
    if (method === 'INVITE') leg.request('ACK', { cseq, toTag: 'callee', branch: `z9hG4bK-ack-${cseq}` })
  }
  return leg.messages.map(fresh)
}
