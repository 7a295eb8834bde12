import { analyseCall, createCallJudge, type CallJudge } from '../src/call.ts'
import type { ObservedMessage } from '../src/observed-message.ts'
import { answered, LegScript, pbx, trunk } from '../test/conversation.ts'
import { healthyCall } from '../test/healthy-calls.ts'
import { parseMessage } from '../src/message.ts'

/** What judging costs, in microseconds of processor time a message (so that a busy machine measures the same): every message is added and the whole call is judged after it.
 *  Run: node --import tsx bench/verdict.ts */

function cpuMillis(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

function fresh(observed: ObservedMessage): ObservedMessage {
  // Fields are read when first asked for: a message that was judged before would be cheaper than a live one.
  const parsed = parseMessage(observed.message.bytes)
  return parsed.ok ? { ...observed, message: parsed.message } : observed
}

function report(what: string, messages: number, milliseconds: number): void {
  console.log(`${what}: ${((milliseconds * 1000) / messages).toFixed(1)} µs a message (${messages} messages)`)
}

/** Many calls at once, their messages mixed as they come at some 10,000 a second. */
function manyCalls(calls: number): void {
  const all = Array.from({ length: calls }, (_, id) => ({
    id,
    messages: healthyCall(id).messages.map(fresh),
  }))
  const mixed = all
    .flatMap(({ id, messages }) => messages.map((message) => ({ id, message })))
    .toSorted((a, b) => a.message.atMicros - b.message.atMicros)
  const judges = new Map<number, CallJudge>()
  const started = cpuMillis()
  for (const { id, message } of mixed) {
    let judge = judges.get(id)
    if (judge === undefined) {
      judge = createCallJudge()
      judges.set(id, judge)
    }
    judge.add(message)
    judge.analyse({ nowMicros: message.atMicros })
  }
  report(`${calls} calls of all healthy kinds`, mixed.length, cpuMillis() - started)
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

/** The cost of the first and of the last thousand messages: it must not grow. */
function oneDialog(method: string): void {
  const messages = longDialog(method, 10_000)
  const judge = createCallJudge()
  const part = 1000
  const costs: number[] = []
  for (let from = 0; from + part <= messages.length; from += part) {
    const started = cpuMillis()
    for (const message of messages.slice(from, from + part)) {
      judge.add(message)
      judge.analyse({ nowMicros: message.atMicros })
    }
    costs.push(cpuMillis() - started)
  }
  report(`one dialog of ${method}, messages 1 to 1000`, part, costs[0] ?? 0)
  report(`one dialog of ${method}, the last 1000 of 10,000`, part, costs.at(-1) ?? 0)
}

/** The median over many calls: what a call costs when nothing else has the processor. */
function medianOfCalls(calls: number): void {
  const costs: number[] = []
  for (let id = 0; id < calls; id++) {
    const messages = healthyCall(id).messages.map(fresh)
    const judge = createCallJudge()
    const started = performance.now()
    for (const message of messages) {
      judge.add(message)
      judge.analyse({ nowMicros: message.atMicros })
    }
    costs.push((performance.now() - started) / messages.length)
  }
  report(`the median of ${calls} calls of all kinds`, 1, costs.toSorted((a, b) => a - b)[calls >> 1] ?? 0)
}

// The first run is for the compiler, which still has something to do in the second; a service is like the third.
manyCalls(1000)
manyCalls(2000)
manyCalls(2000)
medianOfCalls(6000)
for (const method of ['OPTIONS', 'NOTIFY', 'INVITE']) oneDialog(method)
const messages = longDialog('OPTIONS', 10_000)
const started = cpuMillis()
analyseCall(messages, { nowMicros: messages.at(-1)?.atMicros ?? 0 })
report('10,000 messages of one dialog at once', messages.length, cpuMillis() - started)
