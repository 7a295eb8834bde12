import { execFile } from 'node:child_process'
import { readdir, symlink, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { keys, startApiUnderTest } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { call, captureKey, finished, startMicros, store, wireRecords } from './job-client.ts'

const run = promisify(execFile)

async function dissect(folder: string, bytes: Uint8Array, fields: readonly string[]): Promise<string[][]> {
  const file = path.join(folder, 'exported')
  await writeFile(file, bytes)
  const { stdout } = await run(
    'tshark',
    [
      '-r',
      file,
      '-n',
      '-d',
      'udp.port==5080,sip',
      '-T',
      'fields',
      ...fields.flatMap((field) => ['-e', field]),
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  )
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
}

/** Method, code and CSeq of each message. */
const ladder = (rows: string[][]) => rows.map(([, ...rest]) => rest.slice(0, 3))

t.test('exports', async (t) => {
  const api = await startApiUnderTest(t)
  const folder = t.testdir()
  const wire = wireRecords(300)
  await store(api, captureKey, wire)

  t.test('masked: the same ladder with nothing of the original in it', async (t) => {
    for (const format of ['pcapng', 'pcap']) {
      const { body } = await call(api, 'POST', '/exports', { format, mask: true })
      t.match(await finished(api, `/exports/${body.id}`), { state: 'completed', messages: 300, mask: true })
      const { raw } = await call(api, 'GET', `/exports/${body.id}/file`)
      const fields = ['sip.Call-ID', 'sip.Method', 'sip.Status-Code', 'sip.CSeq', 'ip.src', 'ip.dst']
      const original = await call(api, 'POST', '/exports', { format })
      await finished(api, `/exports/${original.body.id}`)
      const before = await dissect(
        folder,
        (await call(api, 'GET', `/exports/${original.body.id}/file`)).raw,
        fields,
      )
      const after = await dissect(folder, raw, fields)
      t.same(ladder(after), ladder(before), 'methods, codes and CSeq')
      const originals = new Set(
        before.flatMap(([callId = '', , , , src = '', dst = '']) => [callId, src, dst]),
      )
      originals.delete('')
      t.ok(originals.size > 2)
      const text = raw.toString('latin1')
      t.same(
        [...originals].filter((one) => text.includes(one)),
        [],
        'no Call-ID and no address is left',
      )
      for (const { body: made } of [{ body }, original]) await call(api, 'DELETE', `/exports/${made.id}`)
    }
  })

  for (const format of ['pcapng', 'pcap'])
    t.test(`all that is on the wire, as ${format}: the frames byte for byte with their stamps`, async (t) => {
      const { status, body } = await call(api, 'POST', '/exports', { format, name: '../../etc/"x"\r\ny' })
      t.equal(status, 202)
      t.match(body.id, /^[0-9a-f]{32}$/)
      const view = await finished(api, `/exports/${body.id}`)
      t.match(view, { state: 'completed', progress: 1, messages: 300, format, mask: false, scheduleId: null })
      const file = await call(api, 'GET', `/exports/${body.id}/file`)
      t.equal(file.status, 200)
      t.equal(file.raw.length, view.sizeBytes)
      t.equal(file.headers['content-length'], String(view.sizeBytes))
      t.equal(file.headers['x-content-type-options'], 'nosniff')
      t.match(file.headers['content-disposition'], /^attachment; filename="[\w.-]+"$/)
      const seen = await dissect(folder, file.raw, [
        'frame.time_epoch',
        'udp.payload',
        'ip.id',
        'sip.Call-ID',
      ])
      t.same(
        seen.map(([, payload]) => payload),
        wire.map(({ payload }) => Buffer.from(payload).toString('hex')),
      )
      t.equal(seen[7]?.[0], '1795391929.070001007', 'nanoseconds')
      t.same(
        seen.map(([, , ipId]) => Number(ipId)),
        wire.map((_, n) => n),
        'the frames themselves',
      )
      await call(api, 'DELETE', `/exports/${body.id}`)
      t.equal((await call(api, 'GET', `/exports/${body.id}`)).status, 404)
      t.same(await readdir(path.join(api.folder, 'exports')), [], 'the file is gone with it')
    })

  t.test('a filter, a time range, and the Call-ID as comment on the first packet of each call', async (t) => {
    const { body } = await call(api, 'POST', '/exports', {
      filter: { method: ['INVITE'] },
      since: String(startMicros + 10_000),
      until: String(startMicros + 30_000),
    })
    const view = await finished(api, `/exports/${body.id}`)
    t.equal(view.messages, 2)
    const { raw } = await call(api, 'GET', `/exports/${body.id}/file`)
    t.match(await dissect(folder, raw, ['frame.comment']), [
      [/^Call-ID: call-1@example\.org\\n/],
      [/^Call-ID: call-2@example\.org\\n/],
    ])
  })

  t.test('seen by Asterisk and on the wire: once, as the wire had it; whole calls when asked', async (t) => {
    const at = startMicros + 100_000_000
    const message = (n: number, startLine: string) => ({
      text: sipText({ callId: 'both', startLine, branch: `z9hG4bKb${n}` }),
      atMicros: at + n * 20_000,
    })
    const all = [
      message(0, 'INVITE sip:1@192.0.2.1 SIP/2.0'),
      message(1, 'SIP/2.0 180 Ringing'),
      message(2, 'SIP/2.0 486 Busy Here'),
    ]
    await store(
      api,
      keys.trafficLog,
      all.map(({ text, atMicros }) => sipRecordOf(text, { atMicros: atMicros + 50 })),
    )
    const first = all[0]
    if (!first) throw new Error('no message')
    const base = sipRecordOf(first.text, { atMicros: at, source: 'wire' })
    const bytes = Buffer.from(
      buildUdpFrame({ linkType: 1, src: base.src, dst: base.dst, payload: base.payload, ipId: 77 }),
    )
    const frame = { linkType: 1, atMicros: at, nanos: 0, bytes, originalLength: bytes.length }
    await store(api, captureKey, [{ ...base, frames: [frame] }])
    const { body } = await call(api, 'POST', '/exports', {
      filter: { status: ['4xx'] },
      wholeCalls: true,
    })
    const view = await finished(api, `/exports/${body.id}`)
    t.match(view, { state: 'completed', messages: 3 }, 'as many as are in the file')
    const { raw } = await call(api, 'GET', `/exports/${body.id}/file`)
    const seen = await dissect(folder, raw, ['ip.id', 'sip.Status-Code', 'frame.comment'])
    t.equal(seen.length, 3)
    t.equal(Number(seen[0]?.[0]), 77)
    t.same(
      seen.map(([, status]) => status),
      ['', '180', '486'],
    )
    t.match(seen[2]?.[2], /Frame built by SIP Capture/)
    const pcap = await call(api, 'POST', '/exports', { filter: { callId: ['both'] }, format: 'pcap' })
    await finished(api, `/exports/${pcap.body.id}`)
    const mixed = await call(api, 'GET', `/exports/${pcap.body.id}/file`)
    t.equal((await dissect(folder, mixed.raw, ['ip.id'])).length, 3, 'two link types in a pcap: plain IP')
  })

  t.test('nothing matches: a file without packets, that tshark takes', async (t) => {
    for (const format of ['pcapng', 'pcap']) {
      const { body } = await call(api, 'POST', '/exports', { filter: { callId: ['nobody'] }, format })
      t.match(await finished(api, `/exports/${body.id}`), { state: 'completed', messages: 0 })
      const { raw } = await call(api, 'GET', `/exports/${body.id}/file`)
      t.same(await dissect(folder, raw, ['frame.number']), [])
    }
  })

  t.test('ids that are not ours name nothing', async (t) => {
    const hostile = [
      '..%2f..%2fetc%2fpasswd',
      '%2e%2e%2f',
      '%2Fetc%2Fpasswd',
      'x%00',
      'a'.repeat(32),
      '%0d%0aX:y',
    ]
    for (const id of hostile)
      for (const path of [
        `/exports/${id}`,
        `/exports/${id}/file`,
        `/imports/${id}`,
        `/export-schedules/${id}`,
      ])
        t.equal((await call(api, 'GET', path)).status, 404, path)
    for (const id of hostile) t.equal((await call(api, 'DELETE', `/exports/${id}`)).status, 404, id)
  })

  t.test('a link in place of the file is not followed', async (t) => {
    const { body } = await call(api, 'POST', '/exports', {})
    await finished(api, `/exports/${body.id}`)
    const file = path.join(api.folder, 'exports', `${body.id}.pcapng`)
    await rm(file)
    await symlink('/etc/passwd', file)
    t.equal((await call(api, 'GET', `/exports/${body.id}/file`)).status, 404)
    await call(api, 'DELETE', `/exports/${body.id}`)
  })

  t.test('what does not fit is refused, and the field is named', async (t) => {
    const wrong = await call(api, 'POST', '/exports', { filter: { methode: ['INVITE'] } })
    t.equal(wrong.status, 400)
    t.match(wrong.body.message, /methode|filter/)
    t.equal((await call(api, 'POST', '/exports', { since: 'yesterday' })).status, 400)
  })

  t.test('newest first, with what was asked', async (t) => {
    const { body } = await call(api, 'POST', '/exports', { name: 'last', filter: { number: ['100'] } })
    await finished(api, `/exports/${body.id}`)
    const { body: list } = await call(api, 'GET', '/exports')
    t.match(list.items[0], { id: body.id, name: 'last', request: { filter: { number: ['100'] } } })
  })
})

t.test('without Redis: 503 and a sentence, at once', async (t) => {
  const api = await startApiUnderTest(t, { REDIS_URL: `redis://127.0.0.1:${await findFreePort()}` })
  const { status, body } = await call(api, 'POST', '/exports', {})
  t.equal(status, 503)
  t.match(body.message, /REDIS_URL/)
  t.equal((await call(api, 'GET', '/exports')).status, 503)
})
