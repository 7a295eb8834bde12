import type { JobState } from '@sip-capture/contract/rest/export.ts'
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'
import { deleteLater } from '../../state/deferred-delete.ts'
import { isGoingOn, removeJob } from '../../state/job-client.ts'
import { JobStateMark } from './job-state.tsx'

interface Job {
  readonly name: string
  readonly state: JobState
  readonly progress: number | null
  readonly error?: string | undefined
}

/** A file that goes out or comes in: name, state, `facts`, what went wrong; cancelled while it goes on, deleted after. */
export function JobRow(props: {
  kind: 'Export' | 'Import'
  job: Job
  path: string
  tags: ComponentChildren
  facts: ComponentChildren
  /** What can be done before it is deleted. */
  actions: ComponentChildren
  onChanged: () => void
}) {
  const { kind, job, path, onChanged } = props
  const [problem, setProblem] = useState('')
  const name = shownText(job.name) || kind
  const cancel = async () => {
    const answer = await removeJob(path)
    setProblem(answer.ok ? '' : answer.problem.message)
    onChanged()
  }
  return (
    <li class="job" data-testid={kind.toLowerCase()} data-state={job.state}>
      <div class="job-main">
        <span class="job-name">{name}</span>
        <JobStateMark job={job} />
        {props.tags}
      </div>
      {props.facts}
      {job.error !== undefined && <p class="job-problem">! {shownText(job.error)}</p>}
      {problem !== '' && (
        <p class="job-problem" role="alert">
          ! {shownText(problem)}
        </p>
      )}
      <div class="actions">
        {props.actions}
        {isGoingOn(job) ? (
          <button type="button" class="button" aria-label={`Cancel ${name}`} onClick={() => void cancel()}>
            Cancel
          </button>
        ) : (
          <button
            type="button"
            class="button"
            aria-label={`Delete ${name}`}
            onClick={() => deleteLater(path, `${kind} ${name}`, onChanged)}
          >
            Delete
          </button>
        )}
      </div>
    </li>
  )
}
