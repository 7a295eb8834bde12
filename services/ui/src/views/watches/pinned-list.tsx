import type { PinnedCall, PinnedCalls } from '@sip-capture/contract/rest/watch.ts'
import { callStateLooks } from '../../format/call-state.ts'
import { countText, plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime } from '../../format/time.ts'
import { deleteLater } from '../../state/deferred-delete.ts'
import { pinPath } from '../../state/pin-client.ts'
import { matchLink } from '../../state/watch-client.ts'

/** Calls that retention does not take, and how many more there may be. */
export function PinnedList({ pinned, onChanged }: { pinned: PinnedCalls; onChanged: () => void }) {
  const { items, max } = pinned
  return (
    <section aria-label="Kept calls" data-testid="pinned-calls">
      <div class="section-head">
        <h2>Kept calls</h2>
        <span class="faint num">
          {countText(items.length)} of {countText(max)}
        </span>
      </div>
      {items.length === 0 ? (
        <p class="section-empty">
          No call is kept. <b>Keep</b> at the head of an open call, or a watch that keeps its calls, saves one
          from retention until you let it go.
        </p>
      ) : (
        <ul class="jobs">
          {items.map((one) => (
            <PinnedRow key={one.id} one={one} onChanged={onChanged} />
          ))}
        </ul>
      )}
    </section>
  )
}

/** A call of an import is opened in its import. */
function linkOf({ callId, capture, call }: PinnedCall): string {
  if (capture !== null) return `/calls?${new URLSearchParams({ capture, callId })}`
  return matchLink(call ?? { id: callId })
}

function PinnedRow({ one, onChanged }: { one: PinnedCall; onChanged: () => void }) {
  const { call } = one
  const name =
    call === null
      ? shownText(one.callId.slice(0, 80))
      : `${shownText(call.from.number)} → ${shownText(call.to.number)}`
  return (
    <li class="job" data-testid="pinned-call">
      <div class="job-main">
        <a class="job-name" href={linkOf(one)}>
          {name}
        </a>
        {call !== null && <span class="tag">{callStateLooks[call.state].word}</span>}
      </div>
      <p class="job-facts num">
        {call !== null && `Call of ${secondTime(call.startedAt)} · `}
        {plural(one.messages, 'record')} · kept since {secondTime(one.pinnedAt)}
        {one.pinnedBy !== '' && ` by the watch “${shownText(one.pinnedBy)}”`}
      </p>
      <div class="actions">
        <button
          type="button"
          class="button"
          aria-label={`Let go ${name}`}
          onClick={() => deleteLater(pinPath(one), `The kept copy of ${name}`, onChanged)}
        >
          Let go
        </button>
      </div>
    </li>
  )
}
