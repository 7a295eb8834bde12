import type { HostPort } from '@sip-capture/contract/bus/sip-record.ts'
import { looksLikeSip } from '@sip-capture/sip/message.ts'
import type { AmiBlock } from '../ami/block.ts'
import { parseHostPort } from '../own-addresses.ts'

/**
 * A patched Asterisk that puts SIP messages on AMI; stock ones never do. Any event is taken that has a field whose lines
 * parse as SIP, in one of three spellings:
 *
 *   one header a line       Message: INVITE sip:… SIP/2.0 CRLF Message: Via: … CRLF …
 *   line ends escaped       Message: INVITE sip:… SIP/2.0\r\nVia: …\r\n\r\n
 *   lone line feeds         Message: INVITE sip:… SIP/2.0 LF Via: … LF LF
 *
 * Where it went is read from fields that hold `address:port`: Source, Src, From, LocalAddress, RemoteAddress, Remote,
 * Dest, Dst, Destination; and Direction, with sent, out or transmitted against received or in.
 */
export interface EventMessage {
  readonly eventName: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly direction: 'in' | 'out' | 'unknown'
  readonly src: HostPort
  readonly dst: HostPort
}

const none: HostPort = { address: '', port: 0 }

/** Undefined for an event without SIP text: all that a stock Asterisk sends. */
export function parseEventMessage(block: AmiBlock): EventMessage | undefined {
  const text = sipText(block)
  if (text === undefined) return undefined
  const far = hostPort(block, 'remoteaddress', 'remote', 'peer')
  const own = hostPort(block, 'localaddress', 'local')
  const direction = directionOf(block)
  const isOut = direction === 'out'
  return {
    eventName: block.name,
    bytes: Uint8Array.from(Buffer.from(text, 'latin1')),
    direction,
    src: hostPort(block, 'source', 'src', 'srcaddress') ?? (isOut ? own : far) ?? none,
    dst: hostPort(block, 'destination', 'dest', 'dst', 'dstaddress') ?? (isOut ? far : own) ?? none,
  }
}

function sipText(block: AmiBlock): string | undefined {
  for (const [name, value] of block.fields) {
    // Nothing that could be a start line: a cheap test, since every event of a busy Asterisk comes along here.
    if (!value.includes('SIP/2.0')) continue
    const lines = block.fields.filter(([other]) => other === name).map(([, line]) => line)
    const text = lines.length > 1 ? `${lines.join('\r\n')}\r\n` : unescaped(value)
    if (text.includes('\n') && looksLikeSip(Buffer.from(text, 'latin1'))) return text
  }
  return undefined
}

function unescaped(value: string): string {
  if (value.includes('\n')) return value.replace(/\r?\n/g, '\r\n')
  return value.replace(
    /\\(r|n|t|\\)/g,
    (_, letter: string) => ({ r: '\r', n: '\n', t: '\t' })[letter] ?? '\\',
  )
}

function hostPort(block: AmiBlock, ...names: readonly string[]): HostPort | undefined {
  for (const [name, value] of block.fields) {
    // Security events write `IPV4/UDP/127.0.0.1/5060`.
    const parts = /^IPV[46]\/\w+\/([^/]+)\/(\d+)$/.exec(value)
    if (!names.includes(name.toLowerCase())) continue
    const found = parseHostPort(
      parts ? (parts[1]?.includes(':') ? `[${parts[1]}]:${parts[2]}` : `${parts[1]}:${parts[2]}`) : value,
    )
    if (found) return found
  }
  return undefined
}

function directionOf(block: AmiBlock): EventMessage['direction'] {
  const value = block.fields.find(([name]) => name.toLowerCase() === 'direction')?.[1] ?? ''
  if (/^(?:sent|out|transmit|tx)/i.test(value)) return 'out'
  return /^(?:received|in|rx)/i.test(value) ? 'in' : 'unknown'
}
