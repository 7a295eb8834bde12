import { Readable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import type { CallLine, JudgedCall } from '@sip-capture/contract/rest/call-stream.ts'
import type { CallMessage, MessageSight } from '@sip-capture/contract/rest/message.ts'
import type { ErrorBody } from '@sip-capture/contract/rest/page.ts'
import type { CallReading } from './call-messages.ts'
import type { MessageView } from './ingest/message-row.ts'

/** The first page fills the window of a browser, which is mostly on the same machine: it draws before more is read. */
const firstPageMillis = 200

interface Teller {
  /** What can be said when all messages are read. */
  readonly judge: (views: readonly MessageView[]) => Promise<JudgedCall>
  /** The status went out with the first line: what goes wrong later is a line. */
  readonly onError: (error: unknown) => ErrorBody
}

/** The lines of `GET /calls/{id}/stream`, each page as it is read. */
export function streamCall(reading: CallReading, teller: Teller): Readable {
  return Readable.from(textOf(linesOf(reading, teller)), { objectMode: false })
}

async function* linesOf(
  { call, total, pages }: CallReading,
  { judge, onError }: Teller,
): AsyncGenerator<CallLine> {
  yield { type: 'begin', legs: call.legs, total }
  try {
    const views: MessageView[] = []
    for await (const page of pages) {
      views.push(...page)
      yield { type: 'messages', items: page.map(toSight) }
      if (views.length < total && views.length === page.length) await pause(firstPageMillis)
    }
    yield { type: 'end', call: await judge(views) }
  } catch (error) {
    yield { type: 'failed', ...onError(error) }
  }
}

async function* textOf(lines: AsyncIterable<CallLine>): AsyncGenerator<string> {
  for await (const line of lines) yield `${JSON.stringify(line)}\n`
}

function toSight({ row, record }: MessageView): MessageSight {
  const { id, at, precisionMicros, source, node, transport, direction, src, dst, trunk, copies, problems } =
    row
  const rawBase64 = toBase64(record.payload)
  return {
    id,
    at,
    precisionMicros,
    source,
    node,
    transport,
    direction,
    src,
    dst,
    trunk,
    copies,
    problems,
    rawBase64,
  }
}

export function toCallMessage({ row, record }: MessageView): CallMessage {
  return { ...row, rawBase64: toBase64(record.payload) }
}

function toBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}
