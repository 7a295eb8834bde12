import t from 'tap'
import type { History } from '../../src/history/history-process.ts'
import { judgeCall } from '../../src/registrations/judge-call.ts'

/** Answers the first question as told. A stand-in: what is stored lies in two tables for a moment only. */
const historyThat = (ask: () => Promise<unknown>): History => ({ ask }) as unknown as History

t.test('a REGISTER whose messages are not stored yet has no findings, and no fault', async (t) => {
  const history = historyThat(() => Promise.resolve({ call: { callIds: ['x'] }, from: 'messages', count: 0 }))
  t.same(await judgeCall(history, 'x', 1), [])
})

t.test('a history that does not answer is a fault', async (t) => {
  const history = historyThat(() => Promise.reject(new Error('away')))
  await t.rejects(judgeCall(history, 'x', 1), /away/)
})
