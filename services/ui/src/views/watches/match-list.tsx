import type { WatchMatch } from '@sip-capture/contract/rest/watch.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime } from '../../format/time.ts'
import { matchLink } from '../../state/watch-client.ts'
import { matchText } from '../../state/watch-news.ts'
import { DeliveryMark } from './delivery-mark.tsx'

/** What matched lately, newest first. */
export function MatchList({ matches }: { matches: readonly WatchMatch[] }) {
  return (
    <section aria-label="Matches" data-testid="matches">
      <h2>Matches</h2>
      {matches.length === 0 ? (
        <p class="section-empty">No call has matched yet.</p>
      ) : (
        <ul class="jobs">
          {matches.map((match) => (
            <li key={match.id} class="job" data-testid="match">
              <div class="job-main">
                <a class="job-name" href={matchLink(match.call)}>
                  {matchText(match)}
                </a>
                {match.pinned && <span class="tag">kept</span>}
              </div>
              <p class="job-facts num">
                {secondTime(match.at)} · {shownText(match.watchName)}
              </p>
              {match.delivery !== null && <DeliveryMark delivery={match.delivery} />}
              {match.pinProblem !== undefined && (
                <p class="job-problem">! The call is not kept: {shownText(match.pinProblem)}</p>
              )}
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}
