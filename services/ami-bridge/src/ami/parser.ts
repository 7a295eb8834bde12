import type { AmiBlock } from './block.ts'

/**
 * AMI on the wire:
 *
 *   banner   = "Asterisk Call Manager/" version CRLF
 *   block    = 1*( name ":" [" "] value CRLF ) CRLF
 *   command  = "Response: " status CRLF … 1*( "Output: " line CRLF ) CRLF          Asterisk 14 and later
 *   follows  = "Response: Follows" CRLF … text "--END COMMAND--" CRLF CRLF         before 14
 *
 * Lines end in CRLF only: a lone LF may stand inside a value. Some events end in LF instead of the empty line, so a LF
 * where a line would start ends the block too. The result depends on the bytes alone, never on how they were split.
 */
export interface AmiParser {
  push(bytes: Uint8Array): void
  /** Forgets a half block: the connection it came from is gone. */
  reset(): void
  readonly counters: AmiParserCounters
}

export interface AmiParserCounters {
  readonly blocks: number
  /** Blocks that reached a cap. */
  readonly oversized: number
  /** Lines without a colon, and text outside any block. */
  readonly malformed: number
}

export interface AmiParserHandlers {
  /** The first line, without its line end, as latin1. */
  readonly onBanner: (line: string) => void
  readonly onBlock: (block: AmiBlock) => void
}

export const maxBlockBytes = 64 * 1024
export const maxBlockLines = 300
export const maxOutputLines = 5_000
export const maxOutputBytes = 4 * 1024 * 1024
export const maxBannerBytes = 256

const CR = 13
const LF = 10

export function createAmiParser(handlers: AmiParserHandlers): AmiParser {
  const counters = { blocks: 0, oversized: 0, malformed: 0 }
  let carry: Buffer = Buffer.alloc(0)
  let hasBanner = false
  /** Between a cap and the next line that starts a block. */
  let isSkipping = false
  /** Inside a line that is longer than any block may be. */
  let isInLongLine = false
  let block = createBlock()

  function push(bytes: Uint8Array): void {
    carry = carry.length === 0 ? Buffer.from(bytes) : Buffer.concat([carry, bytes])
    let at = 0
    for (;;) {
      if (at >= carry.length) break
      if (hasBanner && !isInLongLine && !block.isFollows && carry[at] === LF) {
        at += 1
        endBlock()
        continue
      }
      const end = findLineEnd(carry, at)
      if (end < 0) break
      const length = end - at
      if (isInLongLine) isInLongLine = false
      else if (length > maxLineBytes()) overflow()
      else handleLine(carry.toString('latin1', at, end))
      at = end + 2
    }
    carry = carry.subarray(at)
    if (carry.length > maxLineBytes() + 1) {
      if (!isInLongLine) overflow()
      isInLongLine = true
      carry = carry[carry.length - 1] === CR ? carry.subarray(-1) : Buffer.alloc(0)
    }
    // A view would keep the whole chunk alive, and the chunk belongs to the socket.
    carry = Buffer.from(carry)
  }

  const maxLineBytes = () => (hasBanner ? maxBlockBytes : maxBannerBytes)

  function handleLine(line: string): void {
    if (!hasBanner) {
      hasBanner = true
      handlers.onBanner(line)
      return
    }
    if (isSkipping) {
      if (!startsBlock(line)) return
      isSkipping = false
    }
    if (block.isFollows) return handleFollows(line)
    if (line === '') return endBlock()
    const colon = line.indexOf(':')
    if (colon <= 0) {
      counters.malformed += 1
      return
    }
    const name = line.slice(0, colon)
    const value = line.slice(line[colon + 1] === ' ' ? colon + 2 : colon + 1)
    if (name === 'Output' && block.kind === 'response') return addOutput(value)
    if (block.fields.length === 0) {
      if (!startsBlock(line)) {
        counters.malformed += 1
        return
      }
      block.kind = name.toLowerCase() === 'event' ? 'event' : 'response'
      block.name = value
    }
    block.bytes += line.length + 2
    if (block.fields.length >= maxBlockLines || block.bytes > maxBlockBytes) return overflow()
    block.fields.push([name, value])
    // The text starts behind the ActionID line, which Asterisk before 14 writes last.
    if (block.name === 'Follows' && name.toLowerCase() === 'actionid') block.isFollows = true
  }

  function handleFollows(line: string): void {
    const end = line.lastIndexOf('--END COMMAND--')
    const isEnd = end >= 0 && end + '--END COMMAND--'.length === line.length
    for (const part of (isEnd ? line.slice(0, end) : `${line}\r`).split('\n')) {
      if (part !== '' || !isEnd) addOutput(part)
      if (isSkipping) return
    }
    if (isEnd) block.isFollows = false
  }

  function addOutput(line: string): void {
    block.outputBytes += line.length
    if (block.output.length >= maxOutputLines || block.outputBytes > maxOutputBytes) return overflow()
    block.output.push(line)
  }

  function endBlock(): void {
    if (block.fields.length === 0 || isSkipping) return
    emit(false)
  }

  function emit(isTruncated: boolean): void {
    const { kind, name, fields, output } = block
    block = createBlock()
    counters.blocks += 1
    handlers.onBlock({ kind, name, fields, output, isTruncated })
  }

  /** An answer is handed on short, somebody waits for it; an event that long is nothing Asterisk wrote, and goes. */
  function overflow(): void {
    counters.oversized += 1
    isSkipping = true
    if (block.kind === 'response' && block.fields.length > 0) emit(true)
    else block = createBlock()
  }

  return {
    push,
    reset() {
      carry = Buffer.alloc(0)
      hasBanner = false
      isSkipping = false
      isInLongLine = false
      block = createBlock()
    },
    counters,
  }
}

function createBlock() {
  return {
    kind: 'event' as AmiBlock['kind'],
    name: '',
    fields: [] as [string, string][],
    output: [] as string[],
    bytes: 0,
    outputBytes: 0,
    isFollows: false,
  }
}

const startsBlock = (line: string) => /^(?:Event|Response):/i.test(line)

function findLineEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(CR, from); at >= 0; at = bytes.indexOf(CR, at + 1))
    if (bytes[at + 1] === LF) return at
  return -1
}
