import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { encodeBatch } from '@sip-capture/contract/codec.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { callIdOf, createHarness, keys, sipRequest, until } from './harness.ts'

const october2025 = 1_759_479_342_123_456
const count = 3000

function sampleFile(): Buffer {
  const writer = createPcapngWriter({ application: 'test' })
  const [src, dst] = [
    { address: '192.0.2.1', port: 5060 },
    { address: '192.0.2.10', port: 5060 },
  ]
  const blocks = Array.from({ length: count }, (_, index) => {
    const bytes = buildUdpFrame({ src, dst, payload: sipRequest(`f-${index}`), ipId: index })
    const atMicros = october2025 + index * 1001
    return writer.packet({
      linkType: linkTypes.raw,
      atMicros,
      nanos: 7,
      bytes,
      originalLength: bytes.length,
      interfaceName: '',
    })
  })
  return Buffer.concat([writer.header, ...blocks])
}

function temporaryFolder(t: Test): string {
  const folder = mkdtempSync(join(tmpdir(), 'sip-capture-file-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

t.test(
  'a file is read to its end, with its own times, and a second reading makes the same ids',
  async (t) => {
    const file = join(temporaryFolder(t), 'a.pcapng')
    writeFileSync(file, sampleFile())
    const harness = await createHarness(t)
    const read = async (): Promise<void> => {
      const close = await harness.start({ TSHARK_INTERFACE: file, TSHARK_PORT: '5060' })
      await harness.statusWhere(
        ({ state, detail }) => state === 'up' && /file read to its end/.test(detail),
        'read',
      )
      await close()
    }
    await read()
    const first = await harness.records()
    t.same(
      first.map(callIdOf),
      Array.from({ length: count }, (_, index) => `f-${index}`),
    )
    t.same(
      first.map(({ atMicros }) => atMicros),
      Array.from({ length: count }, (_, index) => october2025 + index * 1001),
    )
    t.match(first[0], { nanos: 7, frames: [{ nanos: 7, linkType: 101 }] })
    await harness.redis.flushall()
    await read()
    t.same(
      (await harness.records()).map(({ id }) => id),
      first.map(({ id }) => id),
    )
    t.equal(new Set(first.map(({ id }) => id)).size, count)
  },
)

t.test('of a file, too, the addresses that a bridge told decide what goes in and out', async (t) => {
  const file = join(temporaryFolder(t), 'in.pcapng')
  writeFileSync(file, sampleFile())
  const harness = await createHarness(t)
  const told = { v: 1, node: 'bridge', atMicros: october2025, endpoints: [] }
  const directory = { ...told, ownAddresses: [{ address: '192.0.2.10', port: 5060 }] }
  await harness.redis.xadd(keys.endpoints, '*', ...encodeBatch([directory]))
  await harness.start({ TSHARK_INTERFACE: file, TSHARK_PORT: '5060' })
  await until(async () => (await harness.records()).length === count, 'all')
  t.ok((await harness.records()).every(({ direction }) => direction === 'in'))
})

t.test('a file that is cut off says so, and what was read is kept', async (t) => {
  const file = join(temporaryFolder(t), 'cut.pcapng')
  writeFileSync(file, sampleFile().subarray(0, -100))
  const harness = await createHarness(t)
  await harness.start({ TSHARK_INTERFACE: file, TSHARK_PORT: '5060' })
  const status = await harness.statusWhere(({ state }) => state === 'failed', 'failed')
  t.match(status.detail, /^TSHARK_INTERFACE: .*cut off after packet 2999/)
  await until(async () => (await harness.records()).length === count - 1, 'all before the cut')
})

t.test('a named pipe is read as it fills', async (t) => {
  const pipe = join(temporaryFolder(t), 'pipe')
  execFileSync('mkfifo', [pipe])
  const harness = await createHarness(t)
  await harness.start({ TSHARK_INTERFACE: pipe, TSHARK_PORT: '5060' })
  const bytes = sampleFile()
  const stream = createWriteStream(pipe)
  stream.write(bytes.subarray(0, bytes.length / 2))
  await until(async () => (await harness.records()).length > 0, 'the first half')
  stream.end(bytes.subarray(bytes.length / 2))
  await until(async () => (await harness.records()).length === count, 'all')
})
