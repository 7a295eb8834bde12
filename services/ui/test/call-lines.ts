import { once } from 'node:events'
import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import { callBegin, callEnd, type CallLine, callPiece } from '@sip-capture/contract/rest/call-stream.ts'
import type { CallMessage } from '@sip-capture/contract/rest/message.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { analyseCall } from '@sip-capture/sip/call.ts'
import { toObserved } from '../src/state/observed.ts'

const rowsPerPiece = 500

/** Asked before each line after the first: resolves with the line that goes out instead, or rejects to cut the answer off. */
export type CallGate = (line: CallLine) => Promise<CallLine>

/** Lets `count` messages through, and the rest when `release` is called. */
export function holdAfter(count: number): { readonly gate: CallGate; readonly release: () => void } {
  const hold = new AbortController()
  const released = once(hold.signal, 'abort')
  let told = 0
  return {
    release: () => hold.abort(),
    gate: async (line) => {
      if (told >= count) await released
      if (line.type === 'messages') told += line.items.length
      return line
    },
  }
}

/** `GET /calls/{id}/stream` of these rows, as the API tells it. */
export async function* callLines(
  words: {
    callId: string
    callIds: readonly string[]
    rows: readonly CallMessage[]
    pinned?: CallDetail['pinned']
  },
  gate: CallGate = (line) => Promise.resolve(line),
): AsyncGenerator<string> {
  for (const line of linesOf(words))
    yield `${JSON.stringify(line.type === 'begin' ? line : await gate(line))}\n`
}

function* linesOf({
  callId,
  callIds,
  rows,
  pinned = null,
}: Parameters<typeof callLines>[0]): Generator<CallLine> {
  const legs = callIds.map((leg) => ({
    callId: leg,
    channel: null,
    uniqueid: null,
    linkedid: null,
    link: leg === callId ? ('asked' as const) : ('getvar' as const),
  }))
  yield callBegin.parse({ type: 'begin', legs, total: rows.length })
  for (let at = 0; at < rows.length; at += rowsPerPiece)
    yield callPiece.parse({ type: 'messages', items: rows.slice(at, at + rowsPerPiece) })
  const [first] = rows
  const observed = rows.flatMap((row) => toObserved(row) ?? [])
  const { state, endedAtMicros, findings } = analyseCall(observed, { nowMicros: Date.now() * 1000 })
  yield callEnd.parse({
    type: 'end',
    call: {
      id: callId,
      state,
      from: first?.from.user ?? '',
      to: first?.to.user ?? '',
      startedAt: first?.at ?? '',
      endedAt: endedAtMicros === null ? null : toRfc3339(endedAtMicros),
      findings,
      truncated: false,
      pinned,
    },
  })
}
