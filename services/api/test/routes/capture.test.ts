import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { keys, publish, startApiUnderTest, until, type ApiUnderTest } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const run = promisify(execFile)

interface Seen {
  readonly epoch: string
  readonly src: string
  readonly dst: string
  readonly payload: string
  readonly callId: string
  readonly comment: string
}

/** What the real tshark sees in the file: SIP messages alone, checksums verified. */
async function dissect(file: string): Promise<Seen[]> {
  const fields = [
    'frame.time_epoch',
    'ip.src',
    'ipv6.src',
    'ip.dst',
    'ipv6.dst',
    'udp.payload',
    'sip.Call-ID',
  ]
  const checked = ['ip.checksum.status', 'udp.checksum.status', '_ws.malformed', 'frame.comment']
  const { stdout } = await run('tshark', [
    '-r',
    file,
    '-n',
    '-d',
    'udp.port==5080,sip',
    '-Y',
    'sip',
    '-T',
    'fields',
    '-o',
    'ip.check_checksum:TRUE',
    '-o',
    'udp.check_checksum:TRUE',
    ...[...fields, ...checked].flatMap((field) => ['-e', field]),
  ])
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [epoch = '', src4 = '', src6 = '', dst4 = '', dst6 = '', payload = '', callId = '', ...rest] =
        line.split('\t')
      const [ipChecksum, udpChecksum, malformed, comment = ''] = rest
      // 1: checked and right; IPv6 has none of its own.
      t.match(`${ipChecksum} ${udpChecksum} ${malformed}`, src6 === '' ? /^1 1 $/ : /^ 1 $/, 'checksums')
      return { epoch, src: src4 || src6, dst: dst4 || dst6, payload, callId, comment }
    })
}

async function download(api: ApiUnderTest, folder: string, callId: string, format: string): Promise<string> {
  const response = await api.app.inject(`/api/v1/calls/${encodeURIComponent(callId)}/pcap?format=${format}`)
  const file = path.join(folder, `file.${format}`)
  await writeFile(file, response.rawPayload)
  return file
}

const start = 1_795_391_929_000_001
const epochOf = ({ atMicros, nanos }: SipRecord) =>
  `${Math.floor(atMicros / 1_000_000)}.${String(atMicros % 1_000_000).padStart(6, '0')}${String(nanos).padStart(3, '0')}`
const hex = ({ payload }: SipRecord) => Buffer.from(payload).toString('hex')

const startLines = [
  'INVITE sip:200@192.0.2.20 SIP/2.0',
  'SIP/2.0 100 Trying',
  'SIP/2.0 200 OK',
  'ACK sip:200@192.0.2.20 SIP/2.0',
]

/** An old call: nothing in the product but history still knows it (C7). */
const messages = (callId: string, more: (n: number, text: string) => Partial<SipRecord>) =>
  startLines.map((startLine, n) => {
    const text = sipText({ callId, startLine, cseq: startLine.startsWith('ACK') ? '1 ACK' : '1 INVITE' })
    return sipRecordOf(text, { atMicros: start + n * 1001, ...more(n, text) })
  })

const wired = (record: SipRecord, linkType: number = linkTypes.ethernet): SipRecord => {
  const bytes = Buffer.from(
    buildUdpFrame({ linkType, src: record.src, dst: record.dst, payload: record.payload, ipId: 7 }),
  )
  const { atMicros, nanos } = record
  return {
    ...record,
    source: 'wire',
    frames: [{ linkType, atMicros, nanos, bytes, originalLength: bytes.length, interfaceName: 'eth0' }],
  }
}

t.test('captures', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const store = async (key: string, records: readonly SipRecord[]) => {
    await publish(client, key, records)
    for (const { id } of records)
      await until(
        () => api.get(`/api/v1/messages/${id}`),
        ({ status }) => status === 200,
      )
  }
  const folder = t.testdir()

  for (const format of ['pcapng', 'pcap'])
    t.test(
      `a call from the wire as ${format}: same count, bytes, time, after the streams are gone`,
      async (t) => {
        const callId = `wire-${format}`
        const records = messages(callId, (n) => ({ nanos: n * 7 })).map((record) => wired(record))
        await store(keys.capture, records)
        await client.del(keys.capture)
        const file = await download(api, folder, callId, format)
        const seen = await dissect(file)
        t.same(
          seen.map(({ payload }) => payload),
          records.map(hex),
        )
        t.same(
          seen.map(({ epoch }) => epoch),
          records.map(epochOf),
        )
        t.ok(seen.every((message) => message.callId === callId))
        const { stdout } = await run('tshark', ['-r', file, '-T', 'fields', '-e', 'eth.type', '-e', 'ip.id'])
        t.match(stdout, /^0x0*800\t0x0*7\n/, 'the frames themselves, not new ones')
      },
    )

  t.test('a call from Asterisk by HEP: frames are built, over IPv4 and IPv6', async (t) => {
    for (const [callId, src, dst] of [
      ['hep-4', '192.0.2.10', '192.0.2.20'],
      ['hep-6', '2001:db8::10', '2001:db8::20'],
    ] as const) {
      const records = messages(callId, () => ({
        src: { address: src, port: 5060 },
        dst: { address: dst, port: 5080 },
      }))
      await store(keys.trafficLog, records)
      for (const format of ['pcapng', 'pcap']) {
        const file = await download(api, folder, callId, format)
        const seen = await dissect(file)
        t.same(
          seen.map(({ payload }) => payload),
          records.map(hex),
          `${callId} ${format}`,
        )
        t.same(
          seen.map(({ epoch }) => epoch),
          records.map(epochOf),
        )
        t.ok(seen.every((message) => message.src === src && message.dst === dst))
        if (format === 'pcapng')
          t.ok(seen.every(({ comment }) => comment.includes('Frame built by SIP Capture')))
      }
    }
  })

  t.test('a message seen on the wire and by Asterisk is there once, as the wire had it', async (t) => {
    const records = messages('both', () => ({}))
    await store(keys.trafficLog, records)
    const wire = records.slice(0, 3).map((record, n) => {
      const { id: _id, ...rest } = record
      return wired(
        sipRecordOf(Buffer.from(record.payload), {
          ...rest,
          atMicros: record.atMicros + 40 + n,
          source: 'wire',
        }),
      )
    })
    await store(keys.capture, wire)
    for (const format of ['pcapng', 'pcap']) {
      const seen = await dissect(await download(api, folder, 'both', format))
      t.equal(seen.length, 4, `${format}: three from the wire, one built`)
      t.same(
        seen.map(({ epoch }) => epoch).toSorted(),
        [...wire.map(epochOf), epochOf(records[3] as SipRecord)].toSorted(),
      )
    }
    const { body } = await api.get('/api/v1/calls/both')
    t.equal(body.messages.length, 7, 'every sighting is listed')
    t.equal(new Set(body.messages.map(({ sightingKey }) => sightingKey)).size, 4)
  })

  t.test('a message over two fragments keeps both', async (t) => {
    const text = sipText({ callId: 'fragments', body: `v=0\r\n${'a=x'.repeat(900)}` })
    const payload = Buffer.from(text)
    const whole = Buffer.from(
      buildUdpFrame({
        linkType: linkTypes.raw,
        src: { address: '192.0.2.10', port: 5060 },
        dst: { address: '192.0.2.20', port: 5080 },
        payload,
        ipId: 9,
      }),
    )
    const cut = 20 + 1480
    const fragment = (from: number, to: number, more: boolean) => {
      const bytes = Buffer.concat([whole.subarray(0, 20), whole.subarray(from, to)])
      bytes.writeUInt16BE(bytes.length, 2)
      bytes.writeUInt16BE((more ? 0x2000 : 0) | ((from - 20) >> 3), 6)
      bytes.writeUInt16BE(0, 10)
      let sum = 0
      for (let at = 0; at < 20; at += 2) sum += bytes.readUInt16BE(at)
      bytes.writeUInt16BE(~((sum & 0xffff) + (sum >>> 16)) & 0xffff, 10)
      return { linkType: linkTypes.raw, atMicros: start, nanos: 0, bytes, originalLength: bytes.length }
    }
    const record = sipRecordOf(payload, {
      source: 'wire',
      frames: [fragment(20, cut, true), fragment(cut, whole.length, false)],
    })
    await store(keys.capture, [record])
    const file = await download(api, folder, 'fragments', 'pcapng')
    const { stdout } = await run('tshark', [
      '-2',
      '-r',
      file,
      '-d',
      'udp.port==5080,sip',
      '-T',
      'fields',
      '-e',
      'ip.frag_offset',
      '-e',
      'sip.Call-ID',
      '-e',
      'udp.length',
    ])
    t.same(
      stdout
        .trim()
        .split('\n')
        .map((line) => line.trim().split('\t').length),
      [1, 3],
      'one message in two frames',
    )
    t.match(stdout, `fragments\t${payload.length + 8}`)
  })
})
