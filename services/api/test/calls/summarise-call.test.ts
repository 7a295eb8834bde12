import t from 'tap'
import type { Leg } from '../../src/history/leg-store.ts'
import { summariseCall, type CallMaterial } from '../../src/calls/summarise-call.ts'
import { viewOf } from '../message-view.ts'
import { callMessages, second, type CallScript } from './call-messages.ts'

const start = 1_795_391_929_000_000
const later = start + 86_400 * second

function materialOf(scripts: readonly CallScript[], more: Partial<CallMaterial> = {}): CallMaterial {
  const legs: Leg[] = scripts.map(({ callId }, n) => ({
    callId,
    channel: `PJSIP/x-0000000${n}`,
    uniqueid: `u${n}`,
    linkedid: 'l1',
    link: 'getvar',
  }))
  return {
    call: { callIds: scripts.map(({ callId }) => callId), legs, node: 'pbx1', linkedids: ['l1'] },
    views: scripts.flatMap(callMessages).map((record) => viewOf(record)),
    ends: [],
    capture: '',
    isTrunk: (name) => name === 'acme',
    ...more,
  }
}

const summary = (material: CallMaterial, nowMicros = later) => summariseCall(material, { nowMicros })
const rowOf = (script: Omit<CallScript, 'callId' | 'startMicros'>, nowMicros = later) =>
  summary(materialOf([{ callId: 'a', startMicros: start, ...script }]), nowMicros)?.row

t.test('a completed call of two legs', async (t) => {
  const material = materialOf(
    [
      { callId: 'a', startMicros: start, ringing: 1500, final: [6000, 200, 'OK'], bye: 66_000 },
      {
        callId: 'b',
        startMicros: start + 50_000,
        leg: 'trunk',
        to: '+4420123',
        ringing: 1400,
        final: [5800, 200, 'OK'],
        bye: 65_900,
      },
    ],
    {
      ends: [
        { uniqueid: 'u1', cause: 17, causeText: 'User busy', techCause: 'SIP 486' },
        { uniqueid: 'u0', cause: 16, causeText: 'Normal Clearing', techCause: '' },
      ],
    },
  )
  const found = summary(material)
  t.match(found?.row, {
    callIds: ['a', 'b'],
    linkedid: 'l1',
    node: 'pbx1',
    capture: null,
    from: { number: '100', name: 'User 100' },
    to: { number: '200', name: '' },
    startedAt: '2026-11-22T23:58:49.000000Z',
    answeredAt: '2026-11-22T23:58:55.000000Z',
    endedAt: '2026-11-22T23:59:55.020000Z',
    state: 'completed',
    code: 200,
    reason: 'OK',
    cause: 16,
    causeText: 'Normal Clearing',
    techCause: 'SIP 486',
    pddMillis: 1500,
    ringMillis: 4500,
    talkMillis: 60_000,
    durationMillis: 66_020,
    legs: 2,
    messages: 14,
    trunks: ['acme'],
    endpoints: ['phone-100', 'acme'],
    verdict: { severity: 'ok' },
  })
  t.ok(found?.numbers.includes('4420123'))
  t.equal(found?.lookAgainAtMicros, null, 'time changes nothing any more')
  t.match(found?.row.id, /^[0-9a-f]{32}$/)
  t.equal(
    summary({ ...material, views: material.views.toReversed() })?.row.id,
    found?.row.id,
    'whatever the order',
  )
  t.not(summary({ ...material, capture: 'f'.repeat(32) })?.row.id, found?.row.id, 'another in a file')
})

t.test('how calls end', async (t) => {
  t.match(rowOf({ ringing: 800, final: [4000, 486, 'Busy Here'] }), {
    state: 'busy',
    code: 486,
    reason: 'Busy Here',
    ringMillis: 3200,
    talkMillis: null,
    answeredAt: null,
    durationMillis: 4010,
  })
  t.match(rowOf({ final: [300, 302, 'Moved Temporarily'] }), {
    state: 'diverted',
    code: 302,
    pddMillis: null,
  })
  t.match(rowOf({ final: [300, 404, 'Not Found'] }), { state: 'rejected', code: 404 })
  t.match(
    rowOf({ final: [300, 503, 'x'], reasonHeader: 'SIP;cause=503, Q.850 ; cause=34 ; text="No circuit"' }),
    {
      state: 'failed',
      cause: 34,
      causeText: 'No circuit',
      techCause: '',
    },
  )
  t.match(rowOf({ final: [300, 503, 'x'], reasonHeader: 'Q.850;cause=999' }), { cause: null })
  t.match(rowOf({ final: [300, 503, 'x'], reasonHeader: 'SIP;text="Q.850;cause=34"' }), { cause: null })
})

t.test(
  'who transfers the call is gone, and the call goes on: state, verdict, code and times agree',
  async (t) => {
    const caller = {
      callId: 'a',
      startMicros: start,
      ringing: 1500,
      final: [6000, 200, 'OK'],
      bye: 30_000,
    } as const
    const called = {
      callId: 'b',
      startMicros: start + 50_000,
      leg: 'trunk',
      ringing: 1400,
      final: [5800, 200, 'OK'],
    } as const
    const target = {
      callId: 'c',
      startMicros: start + 29_000_000,
      leg: 'trunk',
      final: [500, 200, 'OK'],
    } as const
    const going = summary(materialOf([caller, called, target]), start + 60 * second)?.row
    t.match(going, {
      state: 'in-call',
      code: 200,
      endedAt: null,
      talkMillis: null,
      durationMillis: null,
      verdict: { ruleId: 'C02-in-progress', title: 'In progress' },
    })
    const over = summary(
      materialOf([caller, { ...called, bye: 299_950 }, { ...target, bye: 271_000 }]),
      start + 400 * second,
    )?.row
    t.match(over, {
      id: going?.id,
      state: 'completed',
      code: 200,
      talkMillis: 294_000,
      durationMillis: 300_020,
      endedAt: '2026-11-23T00:03:49.020000Z',
      verdict: { ruleId: 'C01-completed', severity: 'ok' },
    })
  },
)

t.test('of two trunks the second takes the call, and the caller is on no leg: it is answered', async (t) => {
  const first = { callId: 'b', startMicros: start, leg: 'trunk', final: [200, 503, 'x'] } as const
  const second = {
    callId: 'c',
    startMicros: start + 300_000,
    leg: 'trunk',
    ringing: 700,
    final: [4700, 200, 'OK'],
    bye: 64_700,
  } as const
  const found = summary(materialOf([first, second]))
  t.match(found?.row, {
    callIds: ['b', 'c'],
    state: 'completed',
    code: 200,
    startedAt: '2026-11-22T23:58:49.000000Z',
    pddMillis: 1000,
    ringMillis: 4000,
    talkMillis: 60_000,
    ruleIds: ['F15-service-unavailable', 'C01-completed'],
    verdict: { severity: 'warning' },
  })
  t.equal(
    found?.row.id,
    summary(materialOf([first]))?.row.id,
    'the same row as while only the first was known',
  )
  t.match(summary(materialOf([first]))?.row, { state: 'failed', code: 503 }, 'twin: the first alone')
})

t.test('what goes on is looked at again when time alone says more', async (t) => {
  const script = { callId: 'a', startMicros: start }
  const setUp = summary(materialOf([script]), start + second)
  t.match(setUp?.row, { state: 'setting-up', code: null, endedAt: null, durationMillis: null })
  const due = setUp?.lookAgainAtMicros ?? 0
  t.ok(due > start + second && due < start + 3700 * second, `after ${(due - start) / second} s`)
  const inCall = summary(materialOf([{ ...script, final: [100, 200, 'OK'] }]), start + second)
  t.match(inCall?.row, { state: 'in-call', talkMillis: null, answeredAt: '2026-11-22T23:58:49.100000Z' })
  t.ok((inCall?.lookAgainAtMicros ?? 0) > start + 3600 * second, 'nobody hangs up for hours')
})

t.test('what is no call is not in the log', async (t) => {
  t.equal(summary({ ...materialOf([]), views: [] }), null)
})
