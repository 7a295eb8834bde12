import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { keys, startApiUnderTest } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { call, finished, startMicros, store, upload } from './job-client.ts'

const run = promisify(execFile)

const caller = { address: '192.0.2.10', port: 5060 }
const pbx = { address: '192.0.2.20', port: 5080 }
const callerNumber = '4930901820455'
const number = '49301234567'

/** A call to a number that is not there: INVITE, 100, 404, ACK. */
function refusedCall(callId: string, atMicros: number): SipRecord[] {
  const lines = [
    { startLine: `INVITE sip:${number}@192.0.2.20 SIP/2.0`, src: caller, dst: pbx },
    { startLine: 'SIP/2.0 100 Trying', src: pbx, dst: caller },
    { startLine: 'SIP/2.0 404 Not Found', src: pbx, dst: caller },
    { startLine: `ACK sip:${number}@192.0.2.20 SIP/2.0`, src: caller, dst: pbx, cseq: '1 ACK' },
  ]
  return lines.map(({ startLine, src, dst, cseq = '1 INVITE' }, n) =>
    sipRecordOf(
      sipText({
        startLine,
        callId,
        cseq,
        branch: `z9hG4bK${callId}`,
        from: `"Alice" <sip:${callerNumber}@example.org>;tag=a1`,
        to: `<sip:${number}@example.org>${n > 1 ? ';tag=b1' : ''}`,
      }),
      { source: 'wire', atMicros: atMicros + n * 1000, src, dst, direction: src === pbx ? 'out' : 'in' },
    ),
  )
}

const verdict = `State: rejected\\nVerdict: Number not found: ${number}. Asterisk (192.0.2.20:5080) answered the call to ${number} with 404 Not Found after 2 ms: the context of the caller's endpoint has no extension ${number}.`

t.test('the first packet of each call says Call-ID, state and verdict', async (t) => {
  const api = await startApiUnderTest(t)
  const folder = t.testdir()

  /** What tshark shows of each packet; it writes a line end of a comment as `\n`. */
  async function comments(raw: Uint8Array): Promise<{ callId: string; comment: string }[]> {
    const file = path.join(folder, 'exported.pcapng')
    await writeFile(file, raw)
    await run('capinfos', [file])
    const { stdout } = await run('tshark', [
      '-n',
      '-r',
      file,
      '-d',
      'udp.port==5080,sip',
      '-T',
      'fields',
      '-e',
      'sip.Call-ID',
      '-e',
      'frame.comment',
    ])
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => {
        const [callId = '', comment = ''] = line.split('\t')
        return { callId, comment: comment.replace(/(\\n)?(Frame built by|Masked by) SIP Capture.*/, '') }
      })
  }
  async function exported(order: object): Promise<{ callId: string; comment: string }[]> {
    const { body } = await call(api, 'POST', '/exports', order)
    t.match(await finished(api, `/exports/${body.id}`), { state: 'completed' })
    return comments((await call(api, 'GET', `/exports/${body.id}/file`)).raw)
  }
  const calls = ['one', 'two'].flatMap((id, n) => refusedCall(id, startMicros + n * 500))
  await store(api, keys.capture, calls)

  t.test('of one call', async (t) => {
    const seen = await comments((await call(api, 'GET', '/calls/one/pcap?format=pcapng')).raw)
    t.equal(seen.length, 4)
    t.equal(seen[0]?.comment, `Call-ID: one\\n${verdict}`)
    t.same(
      seen.slice(1).map(({ comment }) => comment),
      ['', '', ''],
    )
  })

  t.test('of many calls, once each', async (t) => {
    const seen = await exported({ filter: { callId: ['one', 'two'] } })
    t.same(
      seen.filter(({ comment }) => comment !== ''),
      ['one', 'two'].map((callId) => ({ callId, comment: `Call-ID: ${callId}\\n${verdict}` })),
    )
    t.equal(seen.length, 8)
  })

  t.test('the verdict is that of the whole call where only a part of it is in the file', async (t) => {
    const seen = await exported({ filter: { callId: ['one'], status: ['100'] } })
    t.same(
      seen.map(({ comment }) => comment),
      [`Call-ID: one\\n${verdict}`],
    )
  })

  t.test('masked: the same verdict in pseudonyms, those of the packets', async (t) => {
    const masked = [
      await comments((await call(api, 'GET', '/calls/one/pcap?format=pcapng&mask=true')).raw),
      await exported({ filter: { callId: ['one'] }, mask: true }),
    ]
    for (const seen of masked) {
      const [first] = seen
      t.equal(seen.length, 4)
      t.match(
        first?.comment,
        /State: rejected\\nVerdict: Number not found: 000\d{8}\. Asterisk \([\d.]+:5080\) answered/,
      )
      t.ok(first?.comment.startsWith(`Call-ID: ${first.callId}\\n`), 'the Call-ID of the packet')
      t.not(first?.callId, 'one')
      for (const original of [number, callerNumber, '192.0.2.', 'Call-ID: one'])
        t.notOk(first?.comment.includes(original), original)
    }
  })

  t.test('of an import by the messages of that import alone', async (t) => {
    const writer = createPcapngWriter({ application: 'test' })
    const packets = refusedCall('one', startMicros)
      .slice(0, 2)
      .map(({ src, dst, payload, atMicros, nanos }) => {
        const bytes = buildUdpFrame({ linkType: linkTypes.raw, src, dst, payload })
        const { raw: linkType } = linkTypes
        return writer.packet({
          linkType,
          atMicros,
          nanos,
          bytes,
          originalLength: bytes.length,
          interfaceName: '',
        })
      })
    const { body } = await upload(api, 'part.pcapng', Buffer.concat([writer.header, ...packets]))
    t.match(await finished(api, `/imports/${body.id}`), { state: 'completed', messages: 2 })
    const seen = await exported({ filter: { capture: [body.id] } })
    t.match(seen[0]?.comment, /^Call-ID: one\\nState: (?!rejected)/)
    t.equal(seen.filter(({ comment }) => comment !== '').length, 1)
  })

  t.test('a Call-ID of an attacker cannot forge a line', async (t) => {
    const callId = `x\u202ey\u0085State:completed`
    await store(api, keys.capture, refusedCall(callId, startMicros + 60_000_000))
    const [first] = await exported({ filter: { callId: [callId] } })
    t.match(first?.comment, /^Call-ID: x\\u\{202e\}y\\x85State:completed\\nState: rejected/)
  })

  t.test('a flood under one Call-ID is not judged, and said not to be; its neighbours are', async (t) => {
    const flood = Array.from({ length: 2001 }, (_, n) =>
      sipRecordOf(
        sipText({ startLine: 'OPTIONS sip:200@192.0.2.20 SIP/2.0', callId: 'flood', cseq: `${n} OPTIONS` }),
        { source: 'wire', atMicros: startMicros + 100_000_000 + n * 100 },
      ),
    )
    await store(api, keys.capture, flood)
    const unjudged = 'Call-ID: flood\\nVerdict not worked out: the call has more than 2000 messages'
    const seen = await exported({ filter: { callId: ['two', 'flood'] } })
    t.same(
      seen.filter(({ comment }) => comment !== '').map(({ comment }) => comment),
      [`Call-ID: two\\n${verdict}`, unjudged],
    )
    const [first] = await comments((await call(api, 'GET', '/calls/flood/pcap?format=pcapng')).raw)
    t.equal(first?.comment, unjudged)
  })
})
