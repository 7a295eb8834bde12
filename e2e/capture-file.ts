import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const maxBuffer = 256 * 1024 * 1024

/** What Debian's own tools say of a capture file: the judges of every file that is written. */
export interface CaptureFile {
  /** Rows of fields of the packets that `filter` passes. */
  fields(names: readonly string[], filter?: string): Promise<string[][]>
  /** Frames with whole stamps and nothing else: two files with equal ones hold the same packets. @throws when `editcap` refuses the file */
  frames(): Promise<Buffer>
  /** Packets, as `capinfos` counts them. @throws when it refuses the file */
  packets(): Promise<number>
}

/** `sipPorts`: those on which tshark has to look for SIP. */
export function captureFile(file: string, sipPorts: readonly number[]): CaptureFile {
  const decode = sipPorts.flatMap((port) => ['-d', `udp.port==${port},sip`, '-d', `tcp.port==${port},sip`])
  const checks = ['ip.check_checksum', 'udp.check_checksum', 'tcp.check_checksum']
  return {
    async fields(names, filter = 'sip') {
      const { stdout } = await run(
        'tshark',
        [
          '-n',
          '-r',
          file,
          ...decode,
          // tshark takes quadratic time over many calls with one media address.
          '-o',
          'sdp.establish_conversation:FALSE',
          ...checks.flatMap((name) => ['-o', `${name}:TRUE`]),
          '-Y',
          filter,
          '-T',
          'fields',
          ...names.flatMap((name) => ['-e', name]),
        ],
        { maxBuffer },
      )
      return stdout
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => line.split('\t'))
    },
    async frames() {
      const plain = `${file}.frames`
      await run('editcap', ['-F', 'nsecpcap', file, plain])
      return await readFile(plain)
    },
    async packets() {
      const { stdout } = await run('capinfos', ['-c', '-M', '-T', '-r', file])
      return Number(stdout.trim().split('\t')[1])
    },
  }
}
