import t from 'tap'
import type { MessageRow } from '@sip-capture/contract/rest/message.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const start = 1_795_391_929_000_000

/** Three share each microsecond. */
const pagedRecord = (n: number) =>
  sipRecordOf(sipText({ callId: 'paged', branch: `z9hG4bK${n}` }), { atMicros: start + Math.floor(n / 3) })

t.test('messages', async (t) => {
  const api = await startApiUnderTest(t)
  const count = async () => (await api.get('/api/v1/messages?callId=paged&limit=1000')).body.items.length
  const { client } = api.redis

  t.test('a wrong question is answered with 400 that names what is wrong', async (t) => {
    const wrong: [path: string, named: RegExp][] = [
      ['/api/v1/messages?metod=INVITE', /metod/],
      ['/api/v1/messages?status=errors', /status/],
      ['/api/v1/messages?limit=0', /limit/],
      ['/api/v1/messages?limit=1e9', /limit/],
      ['/api/v1/messages?limit=-1', /limit/],
      ['/api/v1/messages?since=yesterday', /since/],
      ['/api/v1/messages?since=0&until=9e15', /until/],
      ['/api/v1/messages?until=NaN', /until/],
      ['/api/v1/messages?order=sideways', /order/],
      ['/api/v1/messages?source=telepathy', /source/],
      ['/api/v1/messages?cursor=nonsense', /cursor/],
      ['/api/v1/messages?__proto__=x', /__proto__/],
      [`/api/v1/messages?text=${'x'.repeat(600)}`, /text/],
      [`/api/v1/messages?${'callId=a&'.repeat(60)}`, /callId/],
      ['/api/v1/messages/nonsense', /id/],
      ['/api/v1/calls/x/pcap?format=doc', /format/],
    ]
    for (const [path, named] of wrong) {
      const { status, body } = await api.get(path)
      t.equal(status, 400, path.slice(0, 60))
      t.match(body.message, named)
      t.notMatch(JSON.stringify(body), /\.ts|node_modules/)
    }
    for (const path of [
      '/api/v1/none',
      '/',
      '/api/v1/messages/../../etc/passwd',
      `/api/v1/messages/${'0'.repeat(32)}`,
    ]) {
      const { status, body } = await api.get(path)
      t.equal(status, 404, path)
      t.equal(body.code, 'not-found')
    }
    t.equal((await api.get('/api/v1/calls/%zz')).status, 400)
    t.equal((await api.app.inject({ method: 'POST', url: '/api/v1/messages' })).statusCode, 404)
  })

  t.test('pages are stable while rows arrive', async (t) => {
    await publish(
      client,
      keys.trafficLog,
      Array.from({ length: 500 }, (_, n) => pagedRecord(n)),
    )
    await until(count, (found) => found === 500)
    for (const order of ['desc', 'asc']) {
      const seen: MessageRow[] = []
      let cursor = ''
      for (let n = 500; ; n++) {
        const { body } = await api.get(`/api/v1/messages?callId=paged&order=${order}&limit=37${cursor}`)
        seen.push(...body.items)
        if (body.nextCursor === null) break
        cursor = `&cursor=${body.nextCursor}`
        if (order === 'desc') await publish(client, keys.trafficLog, [pagedRecord(n)])
      }
      t.equal(new Set(seen.map(({ id }) => id)).size, seen.length, 'none twice')
      const times = seen.map(({ at }) => at)
      const sorted = times.toSorted()
      t.same(times, order === 'asc' ? sorted : sorted.reverse())
      if (order === 'desc') {
        t.equal(seen.length, 500, 'what came meanwhile is newer than every page')
        t.equal((await api.get(`/api/v1/messages?order=asc${cursor}`)).body.code, 'bad-cursor')
        await until(count, (found) => found === 513)
      } else t.equal(seen.length, 513)
    }
  })

  t.test('times in and out', async (t) => {
    const at = start + 60_000_000 + 123_456
    await publish(client, keys.trafficLog, [sipRecordOf(sipText({ callId: 'timed' }), { atMicros: at })])
    await until(
      () => api.get('/api/v1/messages?callId=timed'),
      ({ body }) => body.items.length === 1,
    )
    const countTimed = async (words: string) =>
      (await api.get(`/api/v1/messages?callId=timed&${words}`)).body.items.length
    const [row] = (await api.get('/api/v1/messages?callId=timed')).body.items
    t.equal(row?.at, '2026-11-22T23:59:49.123456Z')
    t.equal(await countTimed(`since=${at}`), 1, 'since is inclusive')
    t.equal(await countTimed(`until=${at}`), 0, 'until is exclusive')
    t.equal(await countTimed(`until=${row?.at.replace('456Z', '457Z')}`), 1)
    t.equal(await countTimed(`since=${encodeURIComponent('2026-11-23T00:59:49.123456+01:00')}`), 1)
  })

  t.test('one message whole, hostile bytes and all', async (t) => {
    const payload = Buffer.concat([
      Buffer.from(
        sipText({
          callId: 'whole',
          from: '"<script>alert(1)</script>" <sip:x@y>;tag=1',
          extra: ['v: SIP/2.0/UDP b;branch=z9hG4bK2', 'Subject: one', '  two'],
        }),
      ),
      Buffer.from([0xff, 0]),
    ])
    const record = sipRecordOf(payload, { atMicros: start })
    await publish(client, keys.capture, [record])
    const { body } = await until(
      () => api.get(`/api/v1/messages/${record.id}`),
      ({ status }) => status === 200,
    )
    t.equal(body.startLine, 'INVITE sip:200@192.0.2.20 SIP/2.0')
    t.same(
      body.headers.filter(({ canonical }) => canonical === 'via').map(({ name }) => name),
      ['Via', 'v'],
    )
    const subject = body.headers.find(({ name }) => name === 'Subject')
    t.equal(subject?.value, 'one two')
    t.equal(subject?.raw, 'Subject: one\r\n  two')
    t.equal(body.from.displayName, '<script>alert(1)</script>')
    t.same(Buffer.from(body.rawBase64, 'base64'), payload)
    t.match((await api.app.inject(`/api/v1/messages/${record.id}`)).headers, {
      'content-type': /^application\/json/,
      'x-content-type-options': 'nosniff',
    })
  })
})
