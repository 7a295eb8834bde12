import t from 'tap'
import { callFilter } from '@sip-capture/contract/rest/call-log.ts'
import { insertCalls, listCalls } from '../../src/calls/call-store.ts'
import { summariseCall, type CallSummary } from '../../src/calls/summarise-call.ts'
import { compileCallMatch } from '../../src/live/call-match.ts'
import { viewOf } from '../message-view.ts'
import { openTestStore } from '../test-store.ts'
import { callMessages, second, type CallScript } from './call-messages.ts'

const start = 1_795_391_929_000_000
const nowMicros = start + 3600 * second

const scripts: Omit<CallScript, 'startMicros'>[] = [
  { callId: 'a', ringing: 900, final: [3000, 200, 'OK'], bye: 40_000 },
  { callId: 'b', from: '+4420123', final: [500, 486, 'Busy Here'] },
  { callId: `c,"%_\\'`, to: '*98', final: [700, 503, 'Größe'], reasonHeader: 'Q.850;cause=34;text="x"' },
  { callId: 'd', from: 'ÄÖ', to: '100%', final: [700, 302, 'Moved'], leg: 'trunk' },
  { callId: 'e', ringing: 100 },
  { callId: 'f', from: '4420124', leg: 'trunk', final: [100, 200, 'OK'] },
]

const calls: CallSummary[] = scripts.map((script, n) => {
  const { callId } = script
  const summary = summariseCall(
    {
      call: {
        callIds: [callId],
        legs: [{ callId, channel: 'PJSIP/x', uniqueid: `1.${n}`, linkedid: `1.${n}`, link: 'getvar' }],
        node: 'pbx1',
        linkedids: [`1.${n}`],
      },
      views: callMessages({ ...script, startMicros: start + n * second }).map((record) => viewOf(record)),
      ends: n === 1 ? [{ uniqueid: '1.1', cause: 17, causeText: 'User busy', techCause: '' }] : [],
      capture: n === 5 ? 'f'.repeat(32) : '',
      isTrunk: (name) => name === 'acme',
    },
    { nowMicros },
  )
  if (!summary) throw new Error(callId)
  return summary
})

const cases: [words: object, expected: number[]][] = [
  [{}, [0, 1, 2, 3, 4]],
  [{ capture: 'f'.repeat(32) }, [5]],
  [{ state: 'busy' }, [1]],
  [{ state: ['busy', 'diverted'] }, [1, 3]],
  [{ from: 'user 10' }, [0, 2, 4]],
  [{ from: 'äö' }, [3]],
  [{ to: '*98' }, [2]],
  [{ to: '%' }, [3]],
  [{ number: '+4420' }, [1]],
  [{ trunk: 'acme' }, [3]],
  [{ endpoint: ['acme', 'phone-100'] }, [0, 1, 2, 3, 4]],
  [{ code: '5xx' }, [2]],
  [{ cause: '34' }, [2]],
  [{ cause: ['17', '34'] }, [1, 2]],
  [{ verdict: 'BUSY' }, [1]],
  [{ minDuration: '30s' }, [0]],
  [{ maxDuration: '1s' }, [1, 2, 3]],
  [{ q: 'state:busy OR code:302' }, [1, 3]],
  [{ q: 'answered:yes' }, [0]],
  [{ q: '-answered:yes' }, [1, 2, 3, 4]],
  [{ q: '-code:4xx -code:200' }, [2, 3, 4]],
  [{ q: 'from:+4420*' }, [1]],
  [{ q: 'from:"User *"' }, []],
  [{ q: 'from:user*' }, [0, 1, 2, 3, 4]],
  [{ q: 'to:100%' }, [3]],
  [{ q: 'to:10_%' }, []],
  [{ q: `callid:"c,\\"%_\\\\'"` }, [2]],
  [{ q: 'callid:c*_*' }, [2]],
  [{ q: 'number:*98' }, [2]],
  [{ q: 'number:4420*' }, [1]],
  [{ q: 'reason:GRÖßE' }, []],
  [{ q: 'reason:Größe' }, [2]],
  [{ q: 'pdd:>500ms' }, [0]],
  [{ q: '-pdd:>500ms' }, [1, 2, 3, 4]],
  [{ q: 'ring:..3s' }, [0]],
  [{ q: 'talk:37s' }, [0]],
  [{ q: 'legs:1 messages:>5' }, [0]],
  [{ q: 'linkedid:1.3' }, [3]],
  [{ q: 'severity:error' }, [2]],
  [{ q: 'verdict:*busy*' }, [1]],
  [{ q: '4420' }, [1]],
  [{ q: '"user busy"' }, [1]],
  [{ q: 'acme' }, [3]],
  [{ q: 'u*busy' }, [1]],
  [{ q: 'at:2026-11-22T23:58:50Z..2026-11-22T23:58:51Z' }, [1, 2]],
  [{ q: 'node:pbx1 since:2026-11-22T23:58:53Z' }, [4]],
  [{ q: `"'; DROP TABLE calls; --"` }, []],
]

t.test('every search says the same live and over the log', async (t) => {
  const store = await openTestStore(t)
  await insertCalls(store, { summaries: calls, tombstones: [], version: 1 })
  for (const [words, expected] of cases) {
    const filter = callFilter.parse(words)
    const match = compileCallMatch(filter)
    const live = calls.flatMap((call, index) => (match(call) ? [index] : []))
    const page = await listCalls(store, { filter, order: 'asc', limit: 100, nowMicros })
    const log = page.items.map(({ id }) => calls.findIndex(({ row }) => row.id === id))
    t.same(live, expected, `live ${JSON.stringify(words)}`)
    t.same(log, expected, `log ${JSON.stringify(words)}`)
  }
  const { items } = await listCalls(store, { filter: {}, order: 'asc', limit: 100, nowMicros })
  t.same(
    items,
    calls.slice(0, 5).map(({ row }) => row),
    'a row of the log is the row that was live',
  )
})

t.test('the newest version of a call counts, and a row that is gone stays gone', async (t) => {
  const store = await openTestStore(t)
  const [a, b] = calls
  if (!a || !b) throw new Error('no calls')
  const asked = { filter: {}, order: 'asc', limit: 100, nowMicros } as const
  const ringing: CallSummary = { ...a, row: { ...a.row, state: 'ringing' } }
  await insertCalls(store, { summaries: [a, b], tombstones: [], version: 5 })
  await insertCalls(store, { summaries: [ringing], tombstones: [], version: 4 })
  t.same(
    (await listCalls(store, asked)).items.map(({ state }) => state),
    ['completed', 'busy'],
  )
  t.same(
    (await listCalls(store, { ...asked, filter: { state: ['ringing'] } })).items,
    [],
    'nor by what it was',
  )
  const { startedAtMicros, row } = b
  await insertCalls(store, {
    summaries: [],
    tombstones: [{ startedAtMicros, id: row.id, capture: '', callIds: row.callIds }],
    version: 6,
  })
  t.same(
    (await listCalls(store, asked)).items.map(({ id }) => id),
    [a.row.id],
  )
})
