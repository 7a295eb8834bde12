import { callBegin, callEnd, callPiece } from '@sip-capture/contract/rest/call-stream.ts'
import t from 'tap'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { streamCall } from '../../src/call-stream.ts'
import { HistoryUnavailable } from '../../src/history/history-process.ts'
import { viewOf } from '../message-view.ts'

const start = 1_795_391_929_000_000
const most = 10_000
const stored = most + 3

const info = (callId: string, n: number) =>
  sipRecordOf(sipText({ callId, startLine: 'INFO sip:200@192.0.2.20 SIP/2.0', cseq: `${n + 1} INFO` }), {
    atMicros: start + n * 20_000,
  })

t.test('a call as lines', async (t) => {
  const api = await startApiUnderTest(t)
  const read = async (callId: string) => {
    const { statusCode, headers, body } = await api.app.inject({
      method: 'GET',
      url: `/api/v1/calls/${encodeURIComponent(callId)}/stream`,
    })
    return { statusCode, type: headers['content-type'], lines: body.trimEnd().split('\n') }
  }
  await publish(
    api.redis.client,
    keys.trafficLog,
    Array.from({ length: stored }, (_, n) => info('long', n)),
  )
  await publish(api.redis.client, keys.trafficLog, [info('short', 0), info('short', 1)])
  await until(
    () => api.history.status,
    ({ counters }) => counters['stored'] === stored + 2,
  )

  t.test(
    'a long one: its number first, its messages in order and each once, last what is judged',
    async (t) => {
      const { statusCode, type, lines } = await read('long')
      t.equal(statusCode, 200)
      t.equal(type, 'application/x-ndjson')
      const [begin, ...rest] = lines.map((line) => JSON.parse(line) as unknown)
      t.same(callBegin.parse(begin), {
        type: 'begin',
        legs: [{ callId: 'long', channel: null, uniqueid: null, linkedid: null, link: 'asked' }],
        total: most,
      })
      const end = callEnd.parse(rest.pop())
      const messages = rest.flatMap((piece) => callPiece.parse(piece).items)
      t.ok(rest.length >= 20, 'in pieces')
      t.equal(callPiece.parse(rest[0]).items.length, 120, 'the first is what a window shows')
      const { body } = await api.get('/api/v1/calls/long')
      t.same(
        messages.map(({ id }) => id),
        body.messages.map(({ id }) => id),
      )
      t.equal(new Set(messages.map(({ id }) => id)).size, most)
      t.equal(messages[0]?.rawBase64, body.messages[0]?.rawBase64)
      t.equal(end.call.truncated, true)
      t.equal(end.call.state, body.state)
      t.same(end.call.findings, body.findings)
    },
  )

  t.test('a short one, and one that is not there', async (t) => {
    const { lines } = await read('short')
    t.same(
      lines.map((line) => (JSON.parse(line) as { type: string }).type),
      ['begin', 'messages', 'end'],
    )
    t.equal(callBegin.parse(JSON.parse(lines[0] ?? '')).total, 2)
    const missing = await read('nobody')
    t.equal(missing.statusCode, 404)
    t.match(missing.lines[0], /"code":"not-found"/)
  })
})

t.test('a history that goes away meanwhile is the last line', async (t) => {
  const call = { callIds: ['c'], legs: [], node: '', linkedids: [] }
  const view = viewOf(sipRecordOf(sipText({ callId: 'c' }), { atMicros: start }))
  async function* pages() {
    yield [view]
    throw new HistoryUnavailable('gone')
  }
  const lines = streamCall(
    { call, total: 1000, truncated: false, pages: pages() },
    {
      judge: () => Promise.reject(new Error('judged without its end')),
      onError: (error) => ({ code: 'unavailable', message: error instanceof Error ? error.message : '' }),
    },
  )
  const text = (await lines.toArray()).map(String).join('')
  t.same(
    text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { type: string; message?: string }).type),
    ['begin', 'messages', 'failed'],
  )
  t.match(text, /"message":"gone"/)
})
