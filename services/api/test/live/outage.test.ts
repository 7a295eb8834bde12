import t from 'tap'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { follow } from '../live-client.ts'
import { callIds, records, settle } from './live-traffic.ts'

t.test('Redis goes and comes back: clients stay, are told, and get what came meanwhile', async (t) => {
  const api = await startApiUnderTest(t)
  const client = await follow(api)
  client.send({ type: 'subscribe' })
  await settle(client, 'a')
  await publish(api.redis.client, keys.capture, records(3, 'before'))
  await until(
    () => client.rows().length,
    (count) => count === 3,
  )
  await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length === 3,
  )
  await api.redis.kill()
  const status = () =>
    client.frames.flatMap((frame) => (frame.type === 'source:status' ? [frame.api.redis.ok] : []))
  await until(status, (list) => list.at(-1) === false)
  const ready = await api.get('/readyz')
  t.equal(ready.status, 503)
  t.match(ready.body.reasons[0], /REDIS_URL/)
  t.equal((await api.get('/api/v1/messages')).body.items.length, 3, 'history still answers')
  await api.redis.start()
  await publish(api.redis.client, keys.capture, records(4, 'after'))
  await until(
    () => callIds(client),
    (list) => list.filter((callId) => callId === 'after').length === 4,
  )
  await until(status, (list) => list.at(-1) === true)
  await until(
    () => api.get('/api/v1/messages'),
    ({ body }) => body.items.length === 7,
  )
  t.equal(client.rows().length, 7)
  client.socket.terminate()
})

t.test('the history process is killed: live goes on, REST says so and comes back', async (t) => {
  const api = await startApiUnderTest(t)
  const client = await follow(api)
  client.send({ type: 'subscribe' })
  await settle(client, 'a')
  const { pid } = api.history
  process.kill(pid ?? 0, 'SIGKILL')
  const away = await until(
    () => api.get('/api/v1/messages'),
    ({ status }) => status === 503,
  )
  t.equal(away.body.code, 'history-unavailable')
  t.match(away.body.message, /history/)
  t.equal((await api.get('/readyz')).status, 503)
  await publish(api.redis.client, keys.capture, records(9, 'meanwhile'))
  await until(
    () => client.rows().length,
    (count) => count === 9,
  )
  const { body } = await until(
    () => api.get('/api/v1/messages'),
    (answer) => answer.body.items?.length === 9,
  )
  t.equal(body.items.length, 9)
  t.not(api.history.pid, pid)
  client.socket.terminate()
})
