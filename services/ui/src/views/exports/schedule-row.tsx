import type { ScheduleView } from '@sip-capture/contract/rest/export.ts'
import { useState } from 'preact/hooks'
import { Download } from '../../components/download.tsx'
import { cronText, parseCron, runText } from '../../format/cron.ts'
import { filterText } from '../../format/filter.ts'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime } from '../../format/time.ts'
import type { ApiResult } from '../../state/api-client.ts'
import { deleteLater } from '../../state/deferred-delete.ts'
import { filterOf, jobPath, orderOfSchedule, runSchedule, updateSchedule } from '../../state/job-client.ts'
import { JobStateMark } from './job-state.tsx'

/** One schedule: when, what, how the last run went; pause, run now, edit, delete. */
export function ScheduleRow(props: { schedule: ScheduleView; onChanged: () => void; onEdit: () => void }) {
  const { schedule, onChanged } = props
  const { lastRun } = schedule
  const [problem, setProblem] = useState('')
  const name = shownText(schedule.name)
  const act = async (action: Promise<ApiResult<unknown>>) => {
    const answer = await action
    setProblem(answer.ok ? '' : answer.problem.message)
    onChanged()
  }
  return (
    <li class="job" data-testid="schedule">
      <div class="job-main">
        <span class="job-name">{name}</span>
        {schedule.paused && <span class="tag is-warning">❚❚ paused</span>}
        {schedule.mask && <span class="tag">masked</span>}
      </div>
      <p class="job-facts">
        {whenText(schedule)} ({shownText(schedule.timeZone)}) · {shownText(schedule.window)} ·{' '}
        {schedule.format} · keeps {plural(schedule.keep, 'file')}
      </p>
      <p class="job-facts wrap">
        {filterText(filterOf(schedule.filter))}
        {schedule.wholeCalls && ' · whole calls'}
      </p>
      {!schedule.paused && schedule.nextRunAt !== null && (
        <p class="job-facts num">Next run {runText(Date.parse(schedule.nextRunAt))}</p>
      )}
      {lastRun === null ? (
        <p class="job-facts">Has not run yet</p>
      ) : (
        <p class="job-facts num">
          Last run {secondTime(lastRun.createdAt)}: <JobStateMark job={lastRun} />
          {lastRun.state === 'completed' && ` · ${plural(lastRun.messages, 'message')}`}
        </p>
      )}
      {lastRun?.error !== undefined && <p class="job-problem">! {shownText(lastRun.error)}</p>}
      {problem !== '' && (
        <p class="job-problem" role="alert">
          ! {shownText(problem)}
        </p>
      )}
      <div class="actions">
        {lastRun?.state === 'completed' && (
          <Download path={jobPath.exportFile(lastRun.id)}>Download last</Download>
        )}
        <button type="button" class="button" onClick={() => void act(runSchedule(schedule.id))}>
          Run now
        </button>
        <button
          type="button"
          class="button"
          onClick={() =>
            void act(updateSchedule(schedule.id, { ...orderOfSchedule(schedule), paused: !schedule.paused }))
          }
        >
          {schedule.paused ? 'Resume' : 'Pause'}
        </button>
        <button type="button" class="button" aria-label={`Edit ${name}`} onClick={props.onEdit}>
          Edit
        </button>
        <button
          type="button"
          class="button"
          aria-label={`Delete ${name}`}
          onClick={() => deleteLater(jobPath.schedule(schedule.id), `Schedule ${name}`, onChanged)}
        >
          Delete
        </button>
      </div>
    </li>
  )
}

function whenText({ cron }: ScheduleView): string {
  const parsed = parseCron(cron)
  return parsed.ok ? cronText(parsed.cron) : shownText(cron)
}
