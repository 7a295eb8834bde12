import { gzipSync } from 'node:zlib'
import t from 'tap'
import { startApiUnderTest } from '../api-under-test.ts'
import { call, countPackets, finished, toCaptureFile, upload, wireRecords } from './job-client.ts'

const records = wireRecords(50, 'imported')
const maxBytes = 100_000

t.test('imports', async (t) => {
  const api = await startApiUnderTest(t, { IMPORT_MAX_BYTES: String(maxBytes) })
  const file = toCaptureFile(records)

  t.test(
    'a file becomes a capture: searchable, exported equal, not live traffic, deleted whole',
    async (t) => {
      const { status, body } = await upload(api, '<b>my file</b>.pcapng', file)
      t.equal(status, 202)
      const view = await finished(api, `/imports/${body.id}`)
      t.match(view, { state: 'completed', progress: 1, frames: 50, messages: 50, sizeBytes: file.length })
      t.equal(view.error, undefined)
      t.equal(view.firstAt, '2026-11-22T23:58:49.000001Z')
      const found = await api.get(`/api/v1/messages?capture=${body.id}&limit=1000`)
      t.equal(found.body.items.length, 50)
      t.equal(found.body.items[0]?.source, 'import')
      t.equal((await api.get('/api/v1/messages')).body.items.length, 0, 'live traffic is without it')
      const callUrl = '/api/v1/calls/imported-3%40example.org'
      t.equal((await api.get(callUrl)).status, 404)
      t.equal((await api.get(`${callUrl}?capture=${body.id}`)).body.messages.length, 1)
      t.equal((await api.app.inject(`${callUrl}/pcap?capture=${body.id}`)).statusCode, 200)

      const order = await call(api, 'POST', '/exports', { filter: { capture: [body.id] } })
      t.match(await finished(api, `/exports/${order.body.id}`), { state: 'completed', messages: 50 })
      const { raw } = await call(api, 'GET', `/exports/${order.body.id}/file`)
      for (const { frames } of records)
        t.ok(raw.includes(Buffer.from(frames[0]?.bytes ?? 'none')), 'the frame itself')
      const again = await upload(api, 'again.pcapng', raw)
      t.match(await finished(api, `/imports/${again.body.id}`), { state: 'completed', messages: 50 })

      t.equal((await call(api, 'DELETE', `/imports/${body.id}`)).status, 204)
      t.equal((await call(api, 'GET', `/imports/${body.id}`)).status, 404)
      t.equal((await api.get(`/api/v1/messages?capture=${body.id}`)).body.items.length, 0)
      t.equal(
        (await api.get(`/api/v1/messages?capture=${again.body.id}`)).body.items.length,
        50,
        'others stay',
      )
    },
  )

  t.test('a file that is cut off: what could be read is kept, and the fault is told', async (t) => {
    const { body } = await upload(api, 'cut.pcapng', file.subarray(0, file.length - 100))
    const view = await finished(api, `/imports/${body.id}`)
    t.match(view, { state: 'completed', messages: 49 })
    t.match(view.error, /^the file cannot be read beyond byte \d+: cut off after packet 49/)
    const goodBytes = Number(/byte (\d+)/.exec(view.error ?? '')?.[1])
    t.equal(await countPackets(t.testdir(), file.subarray(0, goodBytes)), 49, 'up to that byte it is whole')
  })

  t.test('a file that is broken in the middle: what is before is kept, with the byte', async (t) => {
    const brokenAt = toCaptureFile(records.slice(0, 20)).length
    const broken = Buffer.from(file)
    broken.writeUInt32LE(7, brokenAt + 4)
    const { body } = await upload(api, 'broken.pcapng', broken)
    const view = await finished(api, `/imports/${body.id}`)
    t.match(view, { state: 'completed', messages: 20 })
    t.equal(
      view.error,
      `the file cannot be read beyond byte ${brokenAt}: damaged after packet 20: a block of 7 bytes`,
    )
  })

  for (const name of ['x.pcapng.gz', 'no-suffix'])
    t.test(`gzip is unpacked, whatever the name (${name})`, async (t) => {
      const packed = gzipSync(file)
      const { body } = await upload(api, name, packed)
      const view = await finished(api, `/imports/${body.id}`)
      t.match(view, { state: 'completed', progress: 1, messages: 50, sizeBytes: packed.length })
      t.equal(view.error, undefined)
    })

  t.test('gzip that is cut off or damaged: what could be unpacked is kept', async (t) => {
    const packed = gzipSync(Buffer.concat([file, Buffer.alloc(0)]), { level: 1 })
    const cut = await upload(api, 'cut.pcap.gz', packed.subarray(0, Math.round(packed.length * 0.7)))
    const cutView = await finished(api, `/imports/${cut.body.id}`)
    t.equal(cutView.state, 'completed')
    t.match(
      cutView.error,
      /^the gzip data ends early, after byte \d+; the file cannot be read beyond byte \d+ of/,
    )
    t.ok(cutView.messages > 10 && cutView.messages < 50, `${cutView.messages} messages`)
    const noise = Buffer.concat([packed.subarray(0, 12), Buffer.alloc(500, 0xff)])
    const damaged = await upload(api, 'noise.pcap.gz', noise)
    const view = await finished(api, `/imports/${damaged.body.id}`)
    t.equal(view.state, 'failed')
    t.match(view.error, /^the gzip data is damaged/)
  })

  t.test('a bomb ends at IMPORT_MAX_BYTES with a sentence', async (t) => {
    const packet = file.subarray(toCaptureFile(records.slice(0, 49)).length)
    const large = Buffer.concat([file, ...Array.from({ length: 20_000 }, () => packet)])
    const bomb = gzipSync(large)
    t.ok(bomb.length < maxBytes && large.length > 100 * maxBytes)
    const { body } = await upload(api, 'bomb.pcapng.gz', bomb)
    const view = await finished(api, `/imports/${body.id}`)
    t.match(view.error, /the file unpacks to more than IMPORT_MAX_BYTES allows \(100000 bytes\)/)
    t.ok(view.messages <= maxBytes / packet.length)
    const zeros = await upload(api, 'zeros.gz', gzipSync(Buffer.alloc(20_000_000)))
    t.match(await finished(api, `/imports/${zeros.body.id}`), { state: 'failed', messages: 0 })
  })

  t.test('an empty file fails with a reason', async (t) => {
    const { body } = await upload(api, 'empty.pcap', Buffer.alloc(0))
    const view = await finished(api, `/imports/${body.id}`)
    t.match(view, { state: 'failed', messages: 0 })
    t.equal(view.error, 'the file cannot be read: an empty file')
  })

  t.test('two at once: each is a capture of its own', async (t) => {
    const others = wireRecords(40, 'other')
    const [one, two] = await Promise.all([
      upload(api, 'one.pcapng', file),
      upload(api, 'two.pcapng', toCaptureFile(others)),
    ])
    t.match(await finished(api, `/imports/${one.body.id}`), { state: 'completed', messages: 50 })
    t.match(await finished(api, `/imports/${two.body.id}`), { state: 'completed', messages: 40 })
    for (const [id, prefix, length] of [
      [one.body.id, 'imported', 50],
      [two.body.id, 'other', 40],
    ] as const) {
      const { body } = await api.get(`/api/v1/messages?capture=${id}&limit=1000`)
      t.equal(body.items.length, length)
      t.ok(body.items.every(({ callId }) => callId.startsWith(prefix)))
    }
  })

  t.test('what is no capture file fails with a reason', async (t) => {
    const { body } = await upload(api, 'x.pcap', Buffer.from('this is text, not a capture'))
    const view = await finished(api, `/imports/${body.id}`)
    t.equal(view.state, 'failed')
    t.match(view.error, /neither a pcap nor a pcapng/)
  })

  t.test('too large, no file, unknown: refused', async (t) => {
    t.equal((await upload(api, 'big.pcap', Buffer.alloc(100_001))).status, 413)
    t.equal((await call(api, 'POST', '/imports', {})).status, 400)
    t.equal((await call(api, 'GET', `/imports/${'0'.repeat(32)}`)).status, 404)
    t.equal((await call(api, 'DELETE', '/imports/..%2f..%2fx')).status, 404)
  })
})
