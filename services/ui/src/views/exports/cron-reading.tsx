import { cronText, nextRuns, ownZone, parseCron, runText } from '../../format/cron.ts'
import { shownText } from '../../format/shown-text.ts'

const shownRuns = 3

/** What the cron line means, and when it will be: in the schedule's zone, and the viewer's where that is another. */
export function CronReading({ cron, timeZone }: { cron: string; timeZone: string }) {
  const parsed = parseCron(cron)
  if (!parsed.ok)
    return (
      <p class="cron-reading field-problem" data-testid="cron-reading">
        {shownText(parsed.problem)}
      </p>
    )
  const runs = nextRuns(parsed.cron, timeZone, Date.now(), shownRuns)
  const own = ownZone()
  return (
    <div class="cron-reading" data-testid="cron-reading">
      <p>
        <b>{cronText(parsed.cron)}</b>, {timeZone}
      </p>
      {runs.length === 0 ? (
        <p class="warn">There is no such day: it would never run.</p>
      ) : (
        <ul class="num">
          {runs.map((at) => (
            <li key={at}>
              {runText(at, timeZone)}
              {own !== timeZone && (
                <span class="faint">
                  {' '}
                  = {runText(at)} {own}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}
