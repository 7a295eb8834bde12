import type { WatchView } from '@sip-capture/contract/rest/watch.ts'
import { useState } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime } from '../../format/time.ts'
import { deleteLater } from '../../state/deferred-delete.ts'
import { orderOfWatch, testWatch, updateWatch, watchPath } from '../../state/watch-client.ts'
import { DeliveryMark } from './delivery-mark.tsx'

/** One watch: what it looks for, how often it found it, whether its webhook is heard. */
export function WatchRow(props: { watch: WatchView; onChanged: () => void; onEdit: () => void }) {
  const { watch, onChanged } = props
  const [problem, setProblem] = useState('')
  const [testing, setTesting] = useState(false)
  const name = shownText(watch.name)
  const pause = async () => {
    const answer = await updateWatch(watch.id, { ...orderOfWatch(watch), paused: !watch.paused })
    setProblem(answer.ok ? '' : answer.problem.message)
    onChanged()
  }
  const test = async () => {
    setTesting(true)
    const answer = await testWatch(watch.id)
    setTesting(false)
    setProblem(answer.ok ? '' : answer.problem.message)
    onChanged()
  }
  return (
    <li class="job" data-testid="watch">
      <div class="job-main">
        <span class="job-name">{name}</span>
        {watch.paused && <span class="tag is-warning">❚❚ paused</span>}
        {watch.repeat === 'once' && <span class="tag">once</span>}
        {watch.whileRunning && <span class="tag">running calls too</span>}
        {watch.pin && <span class="tag">keeps calls</span>}
      </div>
      {watch.search.trim() === '' ? (
        <p class="job-facts">every call</p>
      ) : (
        watch.search !== watch.name && <p class="job-facts mono wrap">{shownText(watch.search)}</p>
      )}
      <p class="job-facts num">
        {watch.lastMatch === null
          ? `No match since ${secondTime(watch.activeSince)}`
          : `${plural(watch.matches, 'match', 'matches')}, the last ${secondTime(watch.lastMatch.at)}`}
      </p>
      {watch.url !== null && (
        <p class="job-facts wrap">
          POST to <span class="mono">{shownText(watch.url)}</span>
          {watch.undelivered > 0 && ` · ${plural(watch.undelivered, 'webhook')} given up so far`}
        </p>
      )}
      {watch.url !== null && watch.delivery !== null && <DeliveryMark delivery={watch.delivery} />}
      {problem !== '' && (
        <p class="job-problem" role="alert">
          ! {shownText(problem)}
        </p>
      )}
      <div class="actions">
        {watch.url !== null && (
          <button type="button" class="button" disabled={testing} onClick={() => void test()}>
            {testing ? 'Sending …' : 'Test webhook'}
          </button>
        )}
        <button type="button" class="button" onClick={() => void pause()}>
          {watch.paused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" class="button" aria-label={`Edit ${name}`} onClick={props.onEdit}>
          Edit
        </button>
        <button
          type="button"
          class="button"
          aria-label={`Delete ${name}`}
          onClick={() => deleteLater(watchPath(watch.id), `Watch ${name}`, onChanged)}
        >
          Delete
        </button>
      </div>
    </li>
  )
}
