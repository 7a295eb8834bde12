import { summariseCall } from '../src/calls/summarise-call.ts'
import { callMessages, second, type CallScript } from '../test/calls/call-messages.ts'
import { viewOf } from '../test/message-view.ts'

/** What the call log costs beside reading the messages back: processor time of summarising calls of two legs, a message.
 *  Run: node --import tsx bench/summarise-call.ts */

const start = 1_795_391_929_000_000
const rounds = 400

function scriptsOf(id: number, shape: Omit<CallScript, 'callId' | 'startMicros'>): CallScript[] {
  return (['phone', 'trunk'] as const).map((leg, index) => ({
    ...shape,
    callId: `${id}-${leg}`,
    startMicros: start + id * second + index * 20_000,
    leg,
  }))
}

/** `atSeconds`: how long after its first message a call is looked at. */
function measure(what: string, shape: Omit<CallScript, 'callId' | 'startMicros'>, atSeconds: number): void {
  const costs: number[] = []
  for (let id = 0; id < rounds; id++) {
    const scripts = scriptsOf(id, shape)
    const views = scripts.flatMap((script) => callMessages(script)).map((record) => viewOf(record))
    const call = { callIds: scripts.map(({ callId }) => callId), legs: [], node: 'pbx1', linkedids: [] }
    const material = { call, views, ends: [], capture: '', isTrunk: (name: string) => name === 'acme' }
    const started = performance.now()
    summariseCall(material, { nowMicros: start + (id + atSeconds) * second })
    costs.push(((performance.now() - started) * 1000) / views.length)
  }
  const [tenth, half] = [rounds / 10, rounds / 2].map((at) => costs.toSorted((a, b) => a - b)[at] ?? 0)
  console.log(`${what}: median ${half?.toFixed(1)} µs a message, a tenth below ${tenth?.toFixed(1)} µs`)
}

const talking = { ringing: 1500, final: [6000, 200, 'OK'] } as const
for (const run of ['cold', 'warm']) {
  console.log(run)
  measure('ringing', { ringing: 1500 }, 3)
  measure('in call', talking, 30)
  measure('over', { ...talking, bye: 66_000 }, 90)
}
