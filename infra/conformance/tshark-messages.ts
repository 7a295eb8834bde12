import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'

const run = promisify(execFile)
const maxGivenUpBytes = 256 * 1024 * 1024
const givenUpOptions = [
  '-Y',
  'tcp.len > 0 && !sip && frame.cap_len == frame.len',
  '-T',
  'fields',
  '-e',
  'tcp.srcport',
  '-e',
  'tcp.dstport',
  '-e',
  '_ws.col.Info',
]

/** One `sip` item of tshark's tree. */
export interface TsharkMessage {
  /** One character a byte. */
  readonly payload: string
  readonly frameNumber: number
  /** Protocols of the frame up to this one, outermost first. */
  readonly layers: readonly string[]
  /** The `sip` item of the same frame whose bytes have these in them. */
  readonly outer: string | null
}

/** Layers of a packet stand at this depth of tshark's JSON; fields of a layer stand deeper. */
const layerKey = /^ {8}"([^"]+)_raw": \[/
const frameNumberKey = /^ {10}"frame.number": "(\d+)"/
const packetStart = /^ {2}\{/
const hexLine = /^\s+"([0-9a-f]*)",?$/
const readOptions = [
  '-o',
  'sdp.establish_conversation:FALSE',
  '-Y',
  'sip',
  '-T',
  'json',
  '-x',
  '-j',
  'frame sip',
]

/**
 * What `tshark -Y sip` sees in a file, with the bytes of each message as dissected (reassembled, unmasked, decrypted).
 * Read as a stream of lines: the JSON of a large file does not fit into one string. Returns what tshark said about the
 * file, for example that it is cut off.
 */
export async function* readTsharkMessages(
  file: string,
  options: readonly string[] = [],
): AsyncGenerator<TsharkMessage, string | null, undefined> {
  const child = spawn('tshark', ['-n', '-r', file, ...readOptions, ...options], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = once(child, 'close')
  // Told where it is waited for below.
  closed.catch(() => {})
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-2000)
  })
  try {
    yield* parseMessages(createInterface({ input: child.stdout }))
    await closed
  } finally {
    child.kill()
  }
  const said = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('Running as user'))
  return said.length === 0 ? null : said.join(' ')
}

/** Connections, as `SOURCE > DESTINATION` ports, in which tshark stopped at a frame: it says that the frame was cut although
 *  it is whole, or cannot put its segments together (a keep-alive inside a message). */
export async function readGivenUp(file: string, options: readonly string[] = []): Promise<Set<string>> {
  const { stdout } = await run('tshark', ['-n', '-r', file, ...givenUpOptions, ...options], {
    maxBuffer: maxGivenUpBytes,
  })
  const found = new Set<string>()
  for (const line of stdout.split('\n')) {
    const [src, dst, info = ''] = line.split('\t')
    if (/\[(?:Illegal Segments|Packet size limited during capture)/.test(info)) found.add(`${src} > ${dst}`)
  }
  return found
}

async function* parseMessages(lines: AsyncIterable<string>): AsyncGenerator<TsharkMessage, void, undefined> {
  let layers: string[] = []
  let seen: string[] = []
  let frameNumber = 0
  let isInSip = false
  for await (const line of lines) {
    if (packetStart.test(line)) {
      layers = []
      seen = []
    }
    const number = frameNumberKey.exec(line)?.[1]
    if (number !== undefined) frameNumber = Number(number)
    const layer = layerKey.exec(line)?.[1]
    if (layer !== undefined) {
      layers.push(layer)
      isInSip = layer === 'sip'
      continue
    }
    if (!isInSip) continue
    const hex = hexLine.exec(line)?.[1]
    if (hex !== undefined) {
      const payload = Buffer.from(hex, 'hex').toString('latin1')
      const outer = seen.find((one) => one.length > payload.length && one.includes(payload)) ?? null
      seen.push(payload)
      yield { payload, frameNumber, layers: [...layers], outer }
    } else if (/^ {8}\]/.test(line)) isInSip = false
  }
}
