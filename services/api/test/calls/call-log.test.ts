import t from 'tap'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { CallRow, CallStats, Resolution } from '@sip-capture/contract/rest/call-log.ts'
import { inject, keys, publish, startApiUnderTest, until, type ApiUnderTest } from '../api-under-test.ts'
import { callMessages, second } from './call-messages.ts'

const now = Math.floor(Date.now() / 1000) * second
const start = now - 3600 * second

async function ask<T>(api: ApiUnderTest, path: string): Promise<T> {
  const response = await inject(api, { url: `/api/v1${path}` })
  if (response.statusCode !== 200) throw new Error(`${path}: ${response.body}`)
  return response.json<T>()
}

const list = async (api: ApiUnderTest, words: Record<string, string> = {}) => {
  const { items } = await ask<{ items: CallRow[] }>(api, `/calls?${new URLSearchParams(words).toString()}`)
  return items
}
const firsts = (rows: readonly CallRow[]) => rows.map(({ callIds }) => callIds[0])

const linked = (callId: string, uniqueid: string, linkedid: string, node = 'pbx1'): CallEvent => ({
  v: 1,
  kind: 'leg-linked',
  node,
  atMicros: start,
  channel: `PJSIP/${callId}-00000001`,
  uniqueid,
  linkedid,
  callId,
  from: 'getvar',
  reason: '',
})

t.test('the call log', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const send = (records: ReturnType<typeof callMessages>) => publish(client, keys.trafficLog, records)

  t.test('calls appear, once each, whatever is sent again', async (t) => {
    const records = [
      ...callMessages({
        callId: 'answered',
        startMicros: start,
        ringing: 900,
        final: [3000, 200, 'OK'],
        bye: 40_000,
      }),
      ...callMessages({
        callId: 'busy',
        startMicros: start + second,
        from: '101',
        final: [500, 486, 'Busy Here'],
      }),
      ...callMessages({
        callId: 'gone',
        startMicros: start + 2 * second,
        from: '+4420999',
        to: '*98',
        final: [700, 503, 'Service Unavailable'],
      }),
      ...callMessages({
        callId: 'moved',
        startMicros: start + 3 * second,
        final: [700, 302, 'Moved Temporarily'],
      }),
    ]
    await send(records)
    await until(
      () => list(api),
      (rows) => rows.length === 4 && rows.every(({ endedAt }) => endedAt !== null),
    )
    await send(records)
    await until(
      () => api.history.status.counters,
      (counters) => counters['duplicates'] === records.length,
    )
    t.same(firsts(await list(api)), ['moved', 'gone', 'busy', 'answered'])
    t.same(firsts(await list(api, { order: 'asc', limit: '2' })), ['answered', 'busy'])
    const page = await ask<{ nextCursor: string }>(api, '/calls?limit=3')
    t.same(firsts(await list(api, { limit: '3', cursor: page.nextCursor })), ['answered'])
  })

  t.test('filters and searches', async (t) => {
    const cases: [Record<string, string>, string[]][] = [
      [{ state: 'busy' }, ['busy']],
      [{ code: '5xx' }, ['gone']],
      [{ from: '101' }, ['busy']],
      [{ number: '4420' }, ['gone']],
      [{ minDuration: '30s' }, ['answered']],
      [{ maxDuration: '1', state: 'busy' }, ['busy']],
      [{ since: String(start + 2 * second) }, ['moved', 'gone']],
      [{ until: String(start + second) }, ['answered']],
      [{ q: 'state:busy,failed' }, ['gone', 'busy']],
      [{ q: '-state:busy code:>=400' }, ['gone']],
      [{ q: 'from:+4420*' }, ['gone']],
      [{ q: 'talk:>30s OR to:"*98"' }, ['gone', 'answered']],
      [{ q: 'pdd:900ms' }, ['answered']],
      [{ q: 'since:-2h code:302' }, ['moved']],
      [{ q: 'verdict:busy' }, ['busy']],
      [{ capture: 'f'.repeat(32) }, []],
    ]
    for (const [words, expected] of cases)
      t.same(firsts(await list(api, words)), expected, JSON.stringify(words))
    const { status, body } = await api.get('/api/v1/calls?q=form%3A1')
    t.equal(status, 400)
    t.match(body, {
      code: 'bad-query',
      message: 'q: unknown field `form`: did you mean `from`? (character 1)',
      issues: [{ path: 'q', at: 0, length: 4, suggestion: 'from' }],
    })
    t.equal((await api.get('/api/v1/messages?q=from%3A')).status, 400)
    t.equal((await api.get('/api/v1/messages?q=callid%3Abusy')).body.items.length, 4)
    const order = await api.app.inject({
      method: 'POST',
      url: '/api/v1/exports',
      payload: { filter: { q: 'stat:1' } },
    })
    t.equal(order.statusCode, 400)
    t.equal(order.json<{ code: string }>().code, 'bad-query')
  })

  t.test('our own id opens the call, with what the log says', async (t) => {
    const [busy] = await list(api, { state: 'busy' })
    const detail = await ask<{ summary: CallRow; messages: unknown[]; state: string }>(
      api,
      `/calls/${busy?.id}`,
    )
    t.same(detail.summary, busy)
    t.equal(detail.messages.length, 4)
    t.equal((await ask<{ state: string }>(api, '/calls/moved')).state, 'diverted')
  })

  t.test('a late link makes one call of two, and the later row goes', async (t) => {
    const at = start + 100 * second
    await send([
      ...callMessages({ callId: 'leg-a', startMicros: at, final: [5000, 200, 'OK'], bye: 9000 }),
      ...callMessages({
        callId: 'leg-b',
        startMicros: at + 50_000,
        leg: 'trunk',
        final: [4000, 200, 'OK'],
        bye: 8900,
      }),
    ])
    await until(
      () => list(api, { q: 'callid:leg-*' }),
      (rows) => rows.length === 2,
    )
    const [a] = await list(api, { q: 'callid:leg-a' })
    await publish(client, keys.calls, [linked('leg-b', '7.2', '7.1'), linked('leg-a', '7.1', '7.1')])
    const rows = await until(
      () => list(api, { q: 'callid:leg-*' }),
      (found) => found.length === 1 && found[0]?.legs === 2,
    )
    t.match(rows, [{ id: a?.id, callIds: ['leg-a', 'leg-b'], linkedid: '7.1', messages: 12 }])
    // The hangup cause comes last of all.
    await publish(client, keys.calls, [
      {
        v: 1,
        kind: 'leg-ended',
        node: 'pbx1',
        atMicros: at + 9 * second,
        channel: 'PJSIP/leg-a-00000001',
        uniqueid: '7.1',
        linkedid: '7.1',
        cause: 34,
        causeText: 'Circuit congestion',
        techCause: 'SIP 503',
      } satisfies CallEvent,
    ])
    await until(
      () => list(api, { cause: '34' }),
      (found) => found.length === 1,
    )
    t.same(firsts(await list(api, { q: 'cause:34 legs:2 linkedid:7.1' })), ['leg-a'])
  })

  t.test('an earlier leg that comes late takes the call over', async (t) => {
    const at = start + 200 * second
    await send(
      callMessages({ callId: 'second', startMicros: at + second, leg: 'trunk', final: [100, 486, 'Busy'] }),
    )
    await publish(client, keys.calls, [linked('second', '8.2', '8.1'), linked('first', '8.1', '8.1')])
    await until(
      () => list(api, { q: 'callid:second' }),
      (rows) => rows.length === 1,
    )
    await send(callMessages({ callId: 'first', startMicros: at, final: [1200, 486, 'Busy Here'] }))
    const rows = await until(
      () => list(api, { q: 'callid:first,second' }),
      (found) => found.length === 1 && found[0]?.callIds.length === 2,
    )
    t.same(rows[0]?.callIds, ['first', 'second'])
  })

  t.test('a message that comes later is judged too', async (t) => {
    const records = callMessages({
      callId: 'slow',
      startMicros: start + 300 * second,
      final: [100, 200, 'OK'],
      bye: 5000,
    })
    await send(records.slice(0, 4))
    await until(
      () => list(api, { q: 'callid:slow' }),
      ([row]) => row?.state === 'in-call',
    )
    await send(records)
    await until(
      () => list(api, { q: 'callid:slow' }),
      ([row]) => row?.state === 'completed' && row.talkMillis === 4900,
    )
    t.pass()
  })

  t.test('time alone ends a call that nobody answers', async (t) => {
    let tries = 0
    // 32 s without an answer are a failure. Where the first look comes later than that, a younger call shows it.
    const before = await until(
      async () => {
        const callId = `silent-${(tries += 1)}`
        const recent = Math.round(Date.now() * 1000) - (44 - 16 * tries) * second
        await send(callMessages({ callId, startMicros: recent }).slice(0, 1))
        const [row] = await until(
          () => list(api, { q: `callid:${callId}` }),
          (rows) => rows.length === 1,
        )
        return row
      },
      (row) => row?.state === 'setting-up',
    )
    const [after] = await until(
      () => list(api, { q: `callid:${before?.callIds[0]}` }),
      ([row]) => row?.state === 'failed',
    )
    t.equal(after?.id, before?.id)
    t.match(
      after?.verdict,
      { ruleId: /invite-unanswered/, severity: 'warning' },
      'one tap alone may have missed the answer',
    )
  })

  t.test('numbers over time', async (t) => {
    const stats = await ask<CallStats>(api, `/stats?since=${start}&until=${start + 60 * second}&bucket=1`)
    t.match(stats.total, {
      calls: 4,
      answered: 1,
      asr: 0.25,
      ner: 0.5,
      pddMedianMillis: 900,
      acdMillis: 37_000,
    })
    t.same(
      stats.buckets
        .filter(({ calls }) => calls > 0)
        .map(({ at, calls }) => [Date.parse(at) - start / 1000, calls]),
      [
        [0, 1],
        [1000, 1],
        [2000, 1],
        [3000, 1],
      ],
    )
    t.same(stats.byCode.map(({ key, calls }) => `${key} ${calls}`).toSorted(), [
      '200 1',
      '302 1',
      '486 1',
      '503 1',
    ])
    t.equal(stats.byCode.find(({ key }) => key === '486')?.buckets[1], 1)
    t.same(stats.failures.map(({ trunk, code, calls }) => `${trunk}:${code} ${calls}`).toSorted(), [
      ':486 1',
      ':503 1',
    ])
    for (const { key, calls } of stats.byVerdict)
      t.equal(
        (await list(api, { q: `verdict:${key}`, since: `${start}`, until: `${start + 60 * second}` })).length,
        calls,
        `${key}: as many as the search finds`,
      )
    t.equal((await ask<CallStats>(api, `/stats?since=${start}&q=state%3Abusy`)).total.calls, 2)
    t.equal((await api.get(`/api/v1/stats?since=${start}&until=${start}`)).status, 400)
  })

  t.test('deep links: exact, linked, near, none; never one of two', async (t) => {
    const resolve = (words: Record<string, string>) =>
      ask<Resolution>(api, `/resolve?${new URLSearchParams(words).toString()}`)
    const [busy] = await list(api, { q: 'callid:busy' })
    t.match(await resolve({ id: 'busy' }), {
      match: 'exact',
      callId: 'busy',
      candidates: [{ call: { id: busy?.id } }],
    })
    t.match(await resolve({ id: busy?.id ?? '' }), { match: 'exact', callId: 'busy' })
    for (const id of ['7.1', '7.2', 'PJSIP/leg-b-00000001'])
      t.match(
        await resolve({ id }),
        { match: 'linked', candidates: [{ call: { callIds: ['leg-a', 'leg-b'] } }] },
        id,
      )
    t.same(await resolve({ id: 'unknown' }), { match: 'none', callId: null, candidates: [] })
    t.match(await resolve({ id: 'unknown', from: '101', at: String(start) }), {
      match: 'proximity',
      callId: null,
    })

    const at = start + 1000 * second
    await send([
      ...callMessages({
        callId: 'twin-1',
        startMicros: at - 4 * second,
        from: '555',
        to: '666',
        final: [100, 486, 'Busy Here'],
      }),
      ...callMessages({
        callId: 'twin-2',
        startMicros: at + 4 * second,
        from: '555',
        to: '666',
        final: [100, 486, 'Busy Here'],
      }),
      ...callMessages({
        callId: 'cousin',
        startMicros: at + second,
        from: '555',
        to: '777',
        final: [100, 486, 'Busy Here'],
      }),
    ])
    await until(
      () => list(api, { from: '555' }),
      (rows) => rows.length === 3,
    )
    const twins = await resolve({ from: '555', to: '666', at: String(at) })
    t.equal(twins.match, 'proximity')
    t.equal(twins.callId, null)
    t.same(
      twins.candidates.map(({ call, distanceSeconds }) => `${call.callIds[0]} ${distanceSeconds}`).toSorted(),
      ['twin-1 3.89', 'twin-2 4'],
    )
    t.same(twins.candidates[1]?.why, ['from is 555', 'to is 666', '4 s later'])
    const nearest = await resolve({ from: '555', at: String(at) })
    t.equal(nearest.candidates[0]?.call.callIds[0], 'cousin')
    const alone = await resolve({ from: '555', to: '777' })
    t.match(
      alone,
      { match: 'proximity', callId: null, candidates: { length: 1 } },
      'one near call is no sure call',
    )
    const part = await resolve({ from: '55', at: String(at) })
    t.ok(
      part.candidates.every(({ why }) => why[0] === 'other numbers'),
      'part of a number is not the number: what is near in time says so',
    )
    t.equal((await resolve({ from: '55' })).match, 'none')
    t.same(
      (await resolve({ id: '555', at: String(at) })).candidates.map(({ why }) => why[0]),
      ['from is 555', 'from is 555', 'from is 555'],
      'a number in place of an id: of either side',
    )
    t.equal((await resolve({ id: '777' })).candidates[0]?.why[0], 'to is 777')
    const seconds = Math.floor(at / 1_000_000)
    t.match(
      await resolve({ id: `pbx-${seconds}.99` }),
      { match: 'proximity', callId: null, candidates: [{ call: { callIds: ['cousin'] } }] },
      'a Uniqueid that nobody knows tells when its channel began',
    )
    t.equal((await api.get('/api/v1/resolve')).status, 400)

    // A call that goes on is near whatever comes after its beginning, however long ago that was.
    await send(
      callMessages({ callId: 'talking', startMicros: at, from: '4711', to: '888', final: [900, 200, 'OK'] }),
    )
    const talking = await until(
      () => resolve({ id: '4711', at: String(at + 7200 * second) }),
      ({ candidates }) =>
        candidates[0]?.call.state === 'in-call' && candidates[0].why.includes('from is 4711'),
    )
    t.match(talking.candidates, [
      { call: { callIds: ['talking'] }, distanceSeconds: 0, why: ['from is 4711', 'it was going on then'] },
    ])

    // The same Uniqueid on two PBXes.
    await send([
      ...callMessages({ callId: 'here', startMicros: at + 100 * second, final: [100, 486, 'Busy'] }),
      ...callMessages({
        callId: 'there',
        startMicros: at + 100 * second,
        final: [100, 486, 'Busy'],
        more: { node: 'pbx2' },
      }),
    ])
    await publish(client, keys.calls, [linked('here', '9.1', '9.1'), linked('there', '9.1', '9.1', 'pbx2')])
    const both = await until(
      () => resolve({ id: '9.1' }),
      ({ candidates }) => candidates.length === 2,
    )
    t.equal(both.match, 'proximity')
    t.equal(both.callId, null)
  })
})
