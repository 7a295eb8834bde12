import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import type { ExportView, ScheduleView } from '@sip-capture/contract/rest/export.ts'
import type { ImportView } from '@sip-capture/contract/rest/import.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { inject, keys, publish, until, type ApiUnderTest } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const run = promisify(execFile)

type AnyBody = ExportView &
  ImportView &
  ScheduleView & { message: string; items: { id: string }[]; nextCursor: string | null }

export interface Answer {
  readonly status: number
  readonly body: AnyBody
  readonly raw: Buffer
  readonly headers: Record<string, unknown>
}

export async function call(
  api: ApiUnderTest,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  url: string,
  payload?: object,
): Promise<Answer> {
  const response = await inject(api, { method, url: `/api/v1${url}`, ...(payload ? { payload } : {}) })
  const isJson = String(response.headers['content-type']).startsWith('application/json')
  return {
    status: response.statusCode,
    body: isJson && response.body !== '' ? JSON.parse(response.body) : undefined,
    raw: response.rawPayload,
    headers: response.headers,
  }
}

/** The job when it is over, however it ended. */
export async function finished(api: ApiUnderTest, path: string): Promise<AnyBody> {
  return await untilFinished(() => call(api, 'GET', path))
}

export async function untilFinished(ask: () => Promise<Answer>): Promise<AnyBody> {
  const { body } = await until(ask, ({ body }) => body.state !== 'waiting' && body.state !== 'active')
  return body
}

/** The frames of the records as a capture file. */
export function toCaptureFile(records: readonly SipRecord[]): Buffer<ArrayBuffer> {
  const writer = createPcapngWriter({ application: 'test' })
  const blocks = records.flatMap(({ frames }) =>
    frames.map((frame) => writer.packet({ ...frame, interfaceName: 'eth0' })),
  )
  return Buffer.concat([writer.header, ...blocks])
}

/** Packets of a file as Wireshark's own tools count them; they refuse a file that is not whole. */
export async function countPackets(folder: string, bytes: Uint8Array): Promise<number> {
  const file = path.join(folder, 'counted')
  await writeFile(file, bytes)
  const { stdout: counted } = await run('capinfos', ['-T', '-r', '-M', '-c', file])
  await run('tshark', ['-r', file, '-n', '-c', '10'])
  return Number(counted.trim().split('\t').at(-1))
}

/** Messages by REST, page by page. */
export async function countMessages(ask: (url: string) => Promise<Answer>, query = ''): Promise<number> {
  const ids = new Set<string>()
  let cursor: string | null = ''
  while (cursor !== null) {
    const url: string = `/messages?limit=1000${query}${cursor === '' ? '' : `&cursor=${cursor}`}`
    const { body } = await ask(url)
    for (const { id } of body.items) ids.add(id)
    cursor = body.nextCursor
  }
  return ids.size
}

export async function upload(api: ApiUnderTest, name: string, content: Uint8Array): Promise<Answer> {
  const boundary = 'a-boundary'
  const response = await api.app.inject({
    method: 'POST',
    url: '/api/v1/imports',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    payload: Buffer.concat([
      Buffer.from(
        `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="${name}"\r\n` +
          'content-type: application/octet-stream\r\n\r\n',
      ),
      content,
      Buffer.from(`\r\n--${boundary}--\r\n`),
    ]),
  })
  return {
    status: response.statusCode,
    body: JSON.parse(response.body),
    raw: response.rawPayload,
    headers: response.headers,
  }
}

export const startMicros = 1_795_391_929_000_001

/** Calls of one message each on the wire, 10 ms apart, with nanoseconds. */
export function wireRecords(count: number, prefix = 'call', atMicros = startMicros): SipRecord[] {
  return Array.from({ length: count }, (_, n) => {
    const record = sipRecordOf(
      sipText({
        callId: `${prefix}-${n}@example.org`,
        branch: `z9hG4bK${prefix}${n}`,
        extra: ['X-Pad: ' + 'p'.repeat(200)],
      }),
      { atMicros: atMicros + n * 10_000, nanos: n % 1000, source: 'wire' },
    )
    const { src, dst, payload, nanos } = record
    const bytes = Buffer.from(
      buildUdpFrame({ linkType: linkTypes.ethernet, src, dst, payload, ipId: n & 0xffff }),
    )
    return {
      ...record,
      frames: [
        {
          linkType: linkTypes.ethernet,
          atMicros: record.atMicros,
          nanos,
          bytes,
          originalLength: bytes.length,
          interfaceName: 'eth0',
        },
      ],
    }
  })
}

/** Puts records on the bus and waits until history has the last. */
export async function store(api: ApiUnderTest, key: string, records: readonly SipRecord[]): Promise<void> {
  await publish(api.redis.client, key, records)
  const last = records.at(-1)
  await until(
    () => api.get(`/api/v1/messages/${last?.id}`),
    ({ status }) => status === 200,
  )
}

export const captureKey = keys.capture
