import type { Delivery } from '@sip-capture/contract/rest/watch.ts'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime } from '../../format/time.ts'

const looks: Readonly<Record<Delivery['state'], { sign: string; word: string; level: string }>> = {
  waiting: { sign: '◌', word: 'is being sent', level: 'partly' },
  delivered: { sign: '✓', word: 'delivered', level: 'good' },
  failed: { sign: '✕', word: 'given up', level: 'bad' },
}

/** How the webhook went, by sign and word, and why. */
export function DeliveryMark({ delivery }: { delivery: Delivery }) {
  const { state, status, attempts, error, at } = delivery
  const { sign, word, level } = looks[state]
  return (
    <p class="job-facts wrap num">
      <span class={`job-state level-${level}`}>
        <span class="status-sign" aria-hidden="true">
          {sign}
        </span>
        webhook {word}
      </span>
      {status !== null && ` (${status})`}
      {attempts > 1 && ` after ${plural(attempts, 'try', 'tries')}`}
      {error !== undefined && `: ${shownText(error)}`} · {secondTime(at)}
    </p>
  )
}
