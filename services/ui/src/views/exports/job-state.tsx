import type { ExportView, JobState } from '@sip-capture/contract/rest/export.ts'
import { Progress } from '../../components/progress.tsx'

const looks: Readonly<Record<JobState, { sign: string; word: string; level: string }>> = {
  waiting: { sign: '◌', word: 'waiting', level: 'off' },
  active: { sign: '▸', word: 'at work', level: 'partly' },
  completed: { sign: '✓', word: 'done', level: 'good' },
  failed: { sign: '✕', word: 'failed', level: 'bad' },
  cancelled: { sign: '○', word: 'cancelled', level: 'off' },
}

/** State by sign and word, and how far it is. */
export function JobStateMark({ job }: { job: Pick<ExportView, 'state' | 'progress' | 'name'> }) {
  const { sign, word, level } = looks[job.state]
  return (
    <span class={`job-state level-${level}`}>
      <span class="status-sign" aria-hidden="true">
        {sign}
      </span>{' '}
      {word}
      {job.state === 'active' && <Progress value={job.progress} label="Progress" />}
    </span>
  )
}
