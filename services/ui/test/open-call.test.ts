import './dom.ts'
import { effect } from '@preact/signals'
import t from 'tap'
import { CallDrawing } from '../src/state/call-drawing.ts'
import { OpenCallModel } from '../src/state/open-call.ts'
import { SourcesModel } from '../src/state/sources.ts'
import { type CallGate, holdAfter } from './call-lines.ts'
import { startFakeApi } from './fake-api.ts'
import { longCall } from './sip-calls.ts'
import { until } from './until.ts'

const target = { kind: 'call', callId: 'long@h', capture: null } as const
const messages = 1400

/** A long call at an API that tells it as `gate` lets it. */
async function openLong(test: { teardown(handler: () => Promise<void>): unknown }, gate: CallGate) {
  const api = await startFakeApi()
  const realFetch = globalThis.fetch
  globalThis.fetch = (input, init) => realFetch(`${api.url}${input as string}`, init)
  const rows = longCall({ callId: target.callId, startMicros: Date.now() * 1000 - 60_000_000 }, messages / 2)
  api.add(rows)
  api.setCallGate(gate)
  const open = new OpenCallModel()
  const drawing = new CallDrawing(open, new SourcesModel())
  test.teardown(async () => {
    drawing.close()
    open.close()
    globalThis.fetch = realFetch
    await api.close()
  })
  open.open(target, { expected: false })
  return { api, open, drawing }
}

t.test('the begin of a long call is drawn while the rest is on its way, and judged by nobody', async (t) => {
  const { gate, release } = holdAfter(500)
  const { open, drawing } = await openLong(t, gate)
  const drawn: { messages: number; isJudged: boolean; ghosts: number }[] = []
  t.teardown(
    effect(() => {
      const { ladder, call } = drawing.drawn.value
      drawn.push({
        messages: ladder.sightings.length,
        isJudged: call !== null,
        ghosts: ladder.arrows.filter(({ ghost }) => ghost !== null).length,
      })
    }),
  )
  await until(() => drawing.drawn.value.ladder.sightings.length > 0, 'the begin is drawn')
  t.equal(open.call.peek(), null)
  t.equal(open.part.peek()?.total, messages)
  t.equal(open.part.peek()?.messages.length, 500)
  const [, first] = drawn
  t.ok((first?.messages ?? 0) < 500, 'no more than a window is drawn first')
  t.same([first?.isJudged, first?.ghosts], [false, 0])
  release()
  await until(() => drawing.drawn.value.call !== null, 'the rest is drawn')
  t.equal(open.part.peek(), null)
  t.equal(drawing.drawn.value.ladder.sightings.length, messages)
  t.equal(drawing.drawn.value.rows.length, messages)
  t.same(
    drawn.filter(({ isJudged, messages: count }) => isJudged && count !== messages),
    [],
    'a part is never judged',
  )
})

t.test('an answer that is cut off is said to be, and nothing of it stays', async (t) => {
  let isGood = false
  const { open } = await openLong(t, (line) =>
    line.type === 'end' && !isGood ? Promise.reject(new Error('cut')) : Promise.resolve(line),
  )
  await until(() => open.problem.value !== null, 'told')
  t.match(open.problem.value, { kind: 'unreachable', message: /cut off/ })
  t.same([open.part.value, open.call.value], [null, null])
  isGood = true
  open.retry()
  await until(() => open.call.value !== null, 'opened')
  t.equal(open.call.value?.messages.length, messages)
})

t.test('a history that goes away while it is read says why', async (t) => {
  const { open } = await openLong(t, (line) =>
    Promise.resolve(
      line.type === 'end'
        ? { type: 'failed', code: 'history-unavailable', message: 'The store is away.' }
        : line,
    ),
  )
  await until(() => open.problem.value !== null, 'told')
  t.match(open.problem.value, { kind: 'refused', message: 'The store is away.' })
  t.equal(open.call.value, null)
})

t.test('a long call that goes on while it is read is read to its end', async (t) => {
  const { gate, release } = holdAfter(500)
  const { api, open } = await openLong(t, gate)
  await until(() => open.part.value !== null, 'begun')
  open.onUpdated([target.callId])
  // Longer than the pause before a call is fetched again.
  await new Promise((resolve) => {
    setTimeout(resolve, 1500)
  })
  const asked = () => api.requests.filter((url) => url.includes('/stream')).length
  t.equal(asked(), 1, 'not given up for a new one')
  release()
  await until(() => open.call.value !== null, 'read')
  await until(() => asked() === 2, 'and then asked again')
})
