import t from 'tap'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { findCalls } from '../../src/calls/find-calls.ts'
import { findCall, insertCallEvents } from '../../src/history/leg-store.ts'
import { openTestStore } from '../test-store.ts'

t.test('many at once are what each alone is, over links of every source and joins', async (t) => {
  const store = await openTestStore(t)
  let state = 5
  const random = (below: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
  const events: CallEvent[] = []
  const head = (n: number) => ({
    v: 1 as const,
    node: `pbx${random(2)}`,
    atMicros: 1_795_391_929_000_000 + n,
  })
  for (let n = 0; n < 300; n++)
    events.push({
      ...head(n),
      kind: 'leg-linked',
      channel: `PJSIP/x-${n}`,
      uniqueid: `u${n}`,
      linkedid: `l${random(120)}`,
      callId: `c${random(250)}`,
      from: (['getvar', 'getvar', 'hep', 'guess'] as const)[random(4)] ?? 'getvar',
      reason: '',
    })
  for (let n = 0; n < 40; n++)
    events.push({
      ...head(n),
      kind: 'calls-joined',
      linkedid: `l${random(120)}`,
      otherLinkedid: `l${random(120)}`,
      by: 'bridge',
      through: '',
    })
  await insertCallEvents(store, events)
  const callIds = Array.from({ length: 260 }, (_, n) => `c${n}`)
  const together = await findCalls(store, callIds)
  let compared = 0
  for (const callId of callIds) {
    const alone = await findCall(store, { id: callId })
    // A Call-ID whose only links are void stands for itself in one and is left out in the other.
    if (!alone.callIds.includes(callId)) continue
    const same = together.filter(({ callIds: own }) => own.includes(callId))
    const wanted = JSON.stringify(alone.legs)
    if (!same.some(({ legs }) => JSON.stringify(legs) === wanted)) t.same(same[0]?.legs, alone.legs, callId)
    compared += 1
  }
  t.ok(compared > 200, `${compared} calls compared`)
  t.ok(
    together.some((call) => call.linkedids.length > 2),
    'some were joined',
  )
})
