import type { MessageSight } from '@sip-capture/contract/rest/message.ts'
import type { SourceView } from '@sip-capture/contract/rest/source.ts'
import type { Watch } from '@sip-capture/sip/ladder.ts'
import { toMicros } from '../format/time.ts'

/** Longer than any message is waited for: beyond it the ladder no longer changes with time. */
const enoughMicros = 33_000_000

/** Until when, and but for which gaps, the sources that saw these messages were watching: their heartbeats tell it, by the
 *  clock that stamps the messages. A source that is silent has seen nothing since. */
export function watchOf(messages: readonly MessageSight[], sources: readonly SourceView[]): Watch {
  const taps = new Map<string, Set<string>>()
  let [first, last] = ['', '']
  for (const { node, source, at } of messages) {
    const kinds = taps.get(node) ?? new Set()
    taps.set(node, kinds.add(source === 'wire' ? 'wire' : 'ami'))
    // RFC 3339 in UTC with six decimals sorts as text.
    if (first === '' || at < first) first = at
    if (at > last) last = at
  }
  const watching = sources.filter(
    ({ node, kind, state }) => taps.get(node)?.has(kind) === true && (state === 'up' || state === 'degraded'),
  )
  const [from, until] = [toMicros(first), toMicros(last) + enoughMicros]
  return {
    seenUntilMicros: Math.min(until, Math.max(0, ...watching.map(({ at }) => toMicros(at)))),
    blind: watching
      .flatMap(({ gaps }) => gaps)
      .map((gap) => ({ fromMicros: toMicros(gap.from), toMicros: toMicros(gap.to) }))
      .filter((gap) => gap.fromMicros <= until && gap.toMicros >= from),
  }
}
