import t from 'tap'
import type { FollowCalls } from '@sip-capture/contract/live-calls.ts'
import { callRow } from '@sip-capture/contract/rest/call-log.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { callMessages, second } from '../calls/call-messages.ts'
import { CallFollower, toSharedNews } from '../../src/live/call-follower.ts'
import { follow, type LiveClient } from '../live-client.ts'
import { settle } from './live-traffic.ts'

const start = Math.floor(Date.now() / 1000) * second - 3600 * second

function updates(client: LiveClient) {
  return client.frames.flatMap((frame) => (frame.type === 'call:updated' && frame.items ? [frame] : []))
}
const rows = (client: LiveClient) =>
  updates(client).flatMap(({ items }) => (items ?? []).map((item) => callRow.parse(item)))
const send = (client: LiveClient, frame: FollowCalls) => client.socket.send(JSON.stringify(frame))

t.test('the call log live', async (t) => {
  const api = await startApiUnderTest(t)
  const all = await follow(api)
  const busy = await follow(api)
  const none = await follow(api)
  t.teardown(async () => {
    for (const { socket } of [all, busy, none]) socket.terminate()
  })
  send(all, { type: 'follow-calls', filter: {} })
  send(busy, { type: 'follow-calls', filter: { q: 'state:busy' } })
  for (const [n, client] of [all, busy, none].entries()) await settle(client, `${n}`)
  await publish(api.redis.client, keys.trafficLog, [
    ...callMessages({ callId: 'x', startMicros: start, final: [100, 486, 'Busy Here'] }),
    ...callMessages({ callId: 'y', startMicros: start, final: [100, 200, 'OK'], bye: 900 }),
  ])
  await until(
    () => rows(all),
    (found) => new Set(found.map(({ id }) => id)).size === 2,
  )
  const y = rows(all).find(({ callIds }) => callIds[0] === 'y')
  await until(
    () => updates(busy),
    (frames) => rows(busy).length > 0 && frames.some(({ removed }) => removed?.includes(y?.id ?? '')),
  )
  t.same([...new Set(rows(busy).map(({ callIds }) => callIds[0]))], ['x'], 'filtered on the server')
  t.ok(
    updates(busy).some(({ removed }) => removed?.includes(y?.id ?? '')),
    'what is not of the filter (any more) is taken back',
  )
  await settle(none, 'end')
  t.same(updates(none), [], 'who did not ask gets none')

  send(busy, { type: 'follow-calls', filter: { q: 'stat:busy' } })
  const error = await until(
    () => busy.frames.find((frame) => frame.type === 'error'),
    (frame) => frame !== undefined,
  )
  t.match(error, {
    code: 'bad-query',
    message: 'q: unknown field `stat`: did you mean `state`? (character 1)',
  })
  all.send({ type: 'subscribe', filter: { q: 'from:' } })
  await until(
    () => all.frames.find((frame) => frame.type === 'error'),
    (frame) => frame !== undefined,
  )
  all.send({ type: 'subscribe', filter: { q: 'status:4xx -callid:w' } })
  await settle(all, 'subscribed')
  await publish(
    api.redis.client,
    keys.trafficLog,
    ['v', 'w'].flatMap((callId) =>
      callMessages({ callId, startMicros: start, final: [100, 404, 'Not Found'] }),
    ),
  )
  await until(
    () => all.rows(),
    (found) => found.length > 0,
  )
  await settle(all, 'after')
  t.same(
    all.rows().map(({ callId, status }) => [callId, status]),
    [['v', 404]],
    'a search chooses messages too',
  )
})

const news = (count: number, state: 'busy' | 'failed') =>
  toSharedNews({
    removed: ['gone'],
    records: Array.from({ length: count }, (_, n) => ({
      numbers: [],
      row: {
        id: `${n}`,
        capture: null,
        node: '',
        linkedid: null,
        callIds: [],
        startedAt: '',
        answeredAt: null,
        endedAt: null,
        from: { number: '', name: '' },
        to: { number: '', name: '' },
        trunks: [],
        endpoints: [],
        state,
        code: null,
        reason: '',
        cause: null,
        causeText: '',
        techCause: '',
        pddMillis: null,
        ringMillis: null,
        talkMillis: null,
        durationMillis: null,
        legs: 1,
        messages: 1,
        verdict: null,
        ruleIds: [],
      },
    })),
  })

t.test('a browser that does not read is told each call once, and how many it missed', async (t) => {
  const follower = new CallFollower((call) => call.row.state === 'busy')
  follower.offer(news(150, 'failed'))
  follower.offer(news(150, 'busy'))
  const read = () =>
    JSON.parse(follower.takeFrame() ?? '{}') as { items?: unknown[]; removed?: string[]; missed?: number }
  t.equal(read().items?.length, 100)
  const second = read()
  t.equal(second.items?.length, 50)
  t.same(second.removed, ['gone'])
  t.equal(follower.takeFrame(), undefined)
  follower.offer(news(6000, 'busy'))
  t.equal(read().missed, 1001)
})
