import t from 'tap'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { follow } from '../live-client.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { announce, callIds, ids, records, settle, start } from './live-traffic.ts'

t.test('live', async (t) => {
  const api = await startApiUnderTest(t, { MAX_LIVE_CLIENTS: '3' })
  const { client: redis } = api.redis

  t.test('rows of both streams and of publishes come once, those that pass the filter', async (t) => {
    const all = await follow(api)
    const few = await follow(api)
    t.same(all.frames[0]?.type, 'hello')
    all.send({ type: 'subscribe' })
    few.send({ type: 'subscribe', filter: { source: ['wire'], text: ['invite'] } })
    await settle(all, 'a')
    await settle(few, 'b')
    const traffic = records(70, 'published')
    const wire = records(70, 'wire', { source: 'wire' })
    await announce(api, traffic)
    await publish(redis, keys.trafficLog, traffic)
    await publish(redis, keys.capture, wire)
    await publish(redis, keys.trafficLog, records(1, 'last'))
    await until(
      () => callIds(all),
      (list) => list.includes('last') && list.filter((callId) => callId === 'wire').length === 70,
    )
    await until(
      () => callIds(few),
      (list) => list.length >= 70,
    )
    t.equal(all.rows().length, 141)
    t.equal(new Set(ids(all)).size, 141, 'a publish and its stream entry are one row')
    t.same([...new Set(callIds(few))], ['wire'])
    const kinds = all.frames.filter((frame) => frame.type === 'sip:capture-packet')
    t.ok(
      kinds.every(
        (frame) =>
          frame.type === 'sip:capture-packet' && frame.items.every(({ source }) => source === 'wire'),
      ),
    )
    await until(
      () => all.frames.flatMap((frame) => (frame.type === 'call:updated' ? frame.callIds : [])),
      (list) => ['published', 'wire', 'last'].every((callId) => list.includes(callId)),
    )
    all.socket.terminate()
    few.socket.terminate()
  })

  t.test('a publish without a stream entry is still live: Redis may refuse XADD', async (t) => {
    const client = await follow(api)
    client.send({ type: 'subscribe' })
    await settle(client, 'a')
    await announce(api, records(3, 'only-published'))
    await redis.publish(keys.traffic, 'garbage {')
    await announce(api, records(1, 'after-garbage'))
    await until(
      () => callIds(client),
      (list) => list.includes('after-garbage'),
    )
    t.equal(client.rows().length, 4)
    client.socket.terminate()
  })

  t.test('pause holds rows back, resume brings each once (C14)', async (t) => {
    const client = await follow(api)
    client.send({ type: 'subscribe' })
    await publish(redis, keys.capture, records(5, 'before-pause'))
    await until(
      () => client.rows().length,
      (count) => count === 5,
    )
    client.send({ type: 'pause' })
    await settle(client, 'a')
    await publish(redis, keys.capture, records(300, 'paused'))
    await until(
      () => api.get('/api/v1/messages?callId=paused&limit=1000'),
      ({ body }) => body.items.length === 300,
    )
    t.equal(client.rows().length, 5)
    client.send({ type: 'resume' })
    await until(
      () => client.rows().length,
      (count) => count >= 305,
    )
    await settle(client, 'b')
    t.equal(new Set(ids(client)).size, 305)
    t.equal(ids(client).length, 305)
    client.socket.terminate()
  })

  t.test('a client that comes back with its position has no hole and no double row', async (t) => {
    const first = await follow(api)
    first.send({ type: 'subscribe' })
    await settle(first, 'a')
    await publish(redis, keys.capture, records(100, 'one', { source: 'wire' }))
    await until(
      () => first.rows().length,
      (count) => count === 100,
    )
    const since = first.position()
    first.socket.terminate()
    const missed = records(150, 'two', { source: 'wire' })
    await publish(redis, keys.capture, missed)
    await announce(api, records(2, 'not-yet-in-a-stream'))
    const second = await follow(api)
    second.send({ type: 'subscribe', since })
    await publish(redis, keys.trafficLog, records(20, 'three'))
    await until(
      () => callIds(second),
      (list) => list.filter((callId) => callId === 'three').length === 20,
    )
    await until(
      () => callIds(second),
      (list) => list.includes('not-yet-in-a-stream'),
    )
    const count = (callId: string) => callIds(second).filter((other) => other === callId).length
    await until(
      () => count('two'),
      (found) => found >= 150,
    )
    await settle(second, 'c')
    t.equal(count('one'), 0)
    t.equal(count('two'), 150)
    t.equal(new Set(ids(second)).size, ids(second).length)
    second.send({ type: 'subscribe', since: 'nonsense' })
    await until(
      () => second.frames,
      (frames) => frames.some((frame) => frame.type === 'error' && frame.code === 'bad-position'),
    )
    second.socket.terminate()
  })

  t.test('a browser that does not read gets a gap, the others every row', async (t) => {
    const userAgent = 'x'.repeat(8_000)
    const flood = async (callId: string) => {
      const slow = await follow(api)
      const quick = await follow(api)
      slow.send({ type: 'subscribe' })
      quick.send({ type: 'subscribe' })
      await settle(slow, 'a')
      await settle(quick, 'b')
      slow.socket.pause()
      const big = Array.from({ length: 3_000 }, (_, n) =>
        sipRecordOf(sipText({ callId, branch: `z9hG4bK${n}`, userAgent }), { atMicros: start + n }),
      )
      await publish(redis, keys.capture, big)
      await until(
        () => quick.rows().length,
        (count) => count === 3_000,
      )
      t.notOk(quick.frames.some((frame) => frame.type === 'gap'))
      slow.socket.resume()
      const gaps = await until(
        () => slow.frames.flatMap((frame) => (frame.type === 'gap' ? [frame] : [])),
        (list) =>
          list.reduce((sum, { missed }) => sum + missed, 0) + slow.rows().length === 3_000 ||
          slow.socket.readyState === slow.socket.CLOSED,
      )
      const isLost = slow.socket.readyState === slow.socket.CLOSED
      slow.socket.terminate()
      quick.socket.terminate()
      return { gaps, isLost }
    }
    let floods = 0
    // One that answers no ping for half a minute is given up: where the flood took so long, the next may not.
    const { gaps } = await until(
      () => flood(`flood-${(floods += 1)}`),
      ({ isLost }) => !isLost,
    )
    t.ok(gaps.length > 0)
    const [gap] = gaps
    const { body } = await until(
      () => api.get(`/api/v1/messages?callId=flood-${floods}&since=${gap?.from}&until=${gap?.to}&limit=1000`),
      ({ body }) => body.items.length > 0,
    )
    t.ok(body.items.length > 0, 'the gap can be filled over REST')
  })

  t.test('what is not in the protocol is answered, too much of it ends the connection', async (t) => {
    const client = await follow(api)
    let closed = 0
    client.socket.on('close', (code) => (closed = code))
    for (const bad of [
      '{',
      '[]',
      'null',
      '{"type":"subscribe","filter":{"metod":["x"]}}',
      '{"__proto__":{"type":"ping"}}',
    ])
      client.socket.send(bad)
    const errors = await until(
      () => client.frames.flatMap((frame) => (frame.type === 'error' ? [frame] : [])),
      (list) => list.length === 5,
    )
    t.match(errors[3]?.message, /metod/)
    for (let i = 0; i < 20; i++) client.socket.send('[['.repeat(10_000))
    await until(
      () => closed,
      (code) => code !== 0,
    )
    t.equal(closed, 1008)
    const big = await follow(api)
    let bigClosed = 0
    big.socket.on('close', (code) => (bigClosed = code))
    big.socket.send('x'.repeat(1024 * 1024))
    await until(
      () => bigClosed,
      (code) => code !== 0,
    )
    t.equal(bigClosed, 1009)
  })

  t.test('one browser too many is told to try again later', async (t) => {
    const clients = [await follow(api), await follow(api), await follow(api)]
    const late = await follow(api)
    let closed = 0
    late.socket.on('close', (code) => (closed = code))
    await until(
      () => closed,
      (code) => code !== 0,
    )
    t.equal(closed, 1013)
    for (const client of clients) client.socket.terminate()
  })
})
