import { nowMicros } from '@sip-capture/contract/time.ts'
import { field } from '../ami/block.ts'
import type { AmiAnswer, AmiConnection } from '../ami/connection.ts'
import { type HistoryEntry, isAbsent, parseHistoryEntry } from './history-entry.ts'

export interface HistoryBatch {
  readonly position: number
  /** In order from `position`; undefined where an entry could not be read. */
  readonly entries: readonly (HistoryEntry | undefined)[]
  /** The position behind the last entry was empty. */
  readonly sawEnd: boolean
  /** Asterisk's clock before the first look and after the last. */
  readonly fromMicros: number
  readonly toMicros: number
}

/**
 * Asks for `window` entries from `position` on in one go, between two Pings whose answers carry Asterisk's clock. Undefined
 * when some answer did not come. With `thenClear` the history is emptied right behind the last look.
 */
export async function fetchHistory(
  ami: Pick<AmiConnection, 'request' | 'command'>,
  position: number,
  window: number,
  thenClear = false,
): Promise<HistoryBatch | undefined> {
  const localBefore = nowMicros()
  const before = ami.request('Ping')
  const fetches = Array.from({ length: window }, (_, i) =>
    ami.command(`pjsip show history entry ${position + i}`),
  )
  const clearing = thenClear ? ami.command('pjsip set history clear') : undefined
  const after = ami.request('Ping')
  const answers = await Promise.all(fetches)
  const [first, last, cleared] = [await before, await after, await clearing]
  if (!first.ok || !last.ok || (cleared && !cleared.ok)) return undefined
  const entries: (HistoryEntry | undefined)[] = []
  let sawEnd = false
  for (const answer of answers) {
    const output = outputOf(answer)
    // An answer that makes no sense is not asked for again; no answer is.
    if (!output) return undefined
    sawEnd = isAbsent(output)
    if (sawEnd) break
    entries.push(parseHistoryEntry(output))
  }
  return {
    position,
    entries,
    sawEnd,
    fromMicros: timestampOf(first) ?? localBefore,
    toMicros: timestampOf(last) ?? nowMicros(),
  }
}

/** `absent`, the entry, or undefined when it is not known. */
export async function fetchEntry(
  ami: Pick<AmiConnection, 'command'>,
  position: number,
): Promise<HistoryEntry | 'absent' | undefined> {
  const output = outputOf(await ami.command(`pjsip show history entry ${position}`))
  if (!output) return undefined
  return isAbsent(output) ? 'absent' : parseHistoryEntry(output)
}

function outputOf(answer: AmiAnswer): readonly string[] | undefined {
  if (answer.ok) return answer.block.output
  return answer.reason === 'error' ? (answer.block?.output ?? []) : undefined
}

/** `Timestamp: 1795414018.454131` of a Pong: Asterisk's own clock. */
function timestampOf(pong: AmiAnswer): number | undefined {
  if (!pong.ok) return undefined
  const match = /^(\d{1,10})\.(\d{6})$/.exec(field(pong.block, 'Timestamp'))
  return match ? Number(match[1]) * 1_000_000 + Number(match[2]) : undefined
}
