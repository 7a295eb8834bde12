import { messageRow } from '@sip-capture/contract/rest/message.ts'
import { page } from '@sip-capture/contract/rest/page.ts'
import { useEffect, useState } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'
import { secondTime, toMicros } from '../../format/time.ts'
import { getJson } from '../../state/api-client.ts'
import type { DeepLink } from '../../state/deep-link.ts'
import { TimeLine } from './time-line.tsx'

const oneRow = page(messageRow)

/** Nothing is what the link means, or near it: what was looked for, and why it may not be here. Another call is never
 *  shown in its place. */
export function CallMissing(props: {
  link: DeepLink
  onRetry: () => void
  onFindText?: ((text: string) => void) | undefined
}) {
  const { link, onFindText } = props
  const { call, at } = link
  const oldest = useOldestMessage()
  const isTooOld = oldest !== null && at !== null && at.micros !== null && at.micros < toMicros(oldest)
  return (
    <div class="empty" role="alert" data-testid="call-missing">
      <h2>
        {call === null ? 'The history has no call near this time' : 'The history has no call with this id'}
      </h2>
      {call !== null && <p class="mono wrap">{shownText(call.slice(0, 500))}</p>}
      {at !== null && <TimeLine at={at} />}
      <ul class="reasons">
        {call !== null && (
          <li>
            Looked for as Call-ID, as Uniqueid, Linkedid and channel of Asterisk, and as a number: it must be
            whole, upper and lower case as sent.
          </li>
        )}
        {at === null ? (
          call !== null && (
            <li>
              A link that also says when (<code>&amp;at=…</code>) shows the calls near that time.
            </li>
          )
        ) : (
          <li>No call was near that time: within 5 minutes, or with its number within an hour.</li>
        )}
        <li>
          {isTooOld ? <b>It is older than anything here</b> : 'It may be older than the history keeps'} (
          <code>RETENTION_DAYS</code>, <code>RETENTION_BYTES</code>
          {oldest !== null && `; the oldest message here is of ${secondTime(oldest)}`}).
        </li>
        <li>It may have passed while no source was connected: see the gaps on the sources page.</li>
        {call !== null && (
          <li>
            Uniqueid, Linkedid and channel are known only of calls that the AMI bridge saw; Call-ID, numbers
            and time of all.
          </li>
        )}
      </ul>
      <p class="actions">
        {call !== null && onFindText !== undefined && (
          <button type="button" class="button" onClick={() => onFindText(call)}>
            Search the history for this text
          </button>
        )}
        <button type="button" class="button" onClick={props.onRetry}>
          Look again
        </button>
        <a class="button" href="/sources">
          Sources
        </a>
        <a class="button" href="/links">
          How to link here
        </a>
      </p>
    </div>
  )
}

/** RFC 3339, or null while unknown. */
function useOldestMessage(): string | null {
  const [oldest, setOldest] = useState<string | null>(null)
  useEffect(() => {
    const controller = new AbortController()
    const ask = async () => {
      const answer = await getJson('/messages?order=asc&limit=1', oneRow, controller.signal)
      if (answer.ok) setOldest(answer.value.items[0]?.at ?? null)
    }
    void ask()
    return () => controller.abort()
  }, [])
  return oldest
}
