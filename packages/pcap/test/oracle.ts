import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

/** A folder of the test's own that goes with it. */
export function temporaryFolder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'sip-capture-pcap-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

export function writeCapture(t: Test, name: string, parts: readonly Uint8Array[]): string {
  const path = join(temporaryFolder(t), name)
  writeFileSync(path, Buffer.concat(parts))
  return path
}

export const sipPorts = [5060, 5080]

/** What the real tshark makes of a file: one array of field values for each frame that passes the display filter. */
export function tshark(
  file: string,
  fields: readonly string[],
  filter = 'sip',
  options: readonly string[] = [],
): string[][] {
  const output = execFileSync(
    'tshark',
    [
      '-n',
      '-r',
      file,
      '-o',
      'sdp.establish_conversation:FALSE',
      '-o',
      'sip.strict_sip_version:FALSE',
      ...sipPorts.flatMap((port) => ['-d', `udp.port==${port},sip`, '-d', `tcp.port==${port},sip`]),
      ...options,
      '-Y',
      filter,
      '-T',
      'fields',
      '-E',
      'separator=/t',
      '-E',
      'occurrence=a',
      '-E',
      'aggregator=|',
      ...fields.flatMap((field) => ['-e', field]),
    ],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'], maxBuffer: 64 * 1024 * 1024 },
  )
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'))
}

/** Each frame's bytes by tshark, in hexadecimal. */
export function tsharkBytes(file: string): string[] {
  const json = execFileSync('tshark', ['-n', '-r', file, '-T', 'jsonraw', '-J', 'frame'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 * 1024 * 1024,
  })
  const packets = JSON.parse(json) as Record<'_source', { layers: { frame_raw: [string] } }>[]
  return packets.map(({ _source: source }) => source.layers.frame_raw[0])
}

/** Frames with any error tshark can find in lengths and checksums. */
export function tsharkChecksumErrors(file: string): string[][] {
  return tshark(
    file,
    ['frame.number', '_ws.expert.message'],
    'ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || tcp.checksum.status == "Bad" || udp.length.bad || _ws.malformed',
    ['-o', 'ip.check_checksum:TRUE', '-o', 'udp.check_checksum:TRUE', '-o', 'tcp.check_checksum:TRUE'],
  )
}

export function run(command: string, ...parameters: string[]): string {
  return execFileSync(command, parameters, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
