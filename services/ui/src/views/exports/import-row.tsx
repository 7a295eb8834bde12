import type { ImportView } from '@sip-capture/contract/rest/import.ts'
import { plural, sizeText } from '../../format/number.ts'
import { rangeText, secondTime } from '../../format/time.ts'
import { jobPath } from '../../state/job-client.ts'
import { JobRow } from './job-row.tsx'

/** One import: a named capture to open, or to delete whole. */
export function ImportRow({ view, onChanged }: { view: ImportView; onChanged: () => void }) {
  return (
    <JobRow
      kind="Import"
      job={view}
      path={jobPath.import(view.id)}
      onChanged={onChanged}
      tags={view.error !== undefined && view.messages > 0 && <span class="tag is-warning">read in part</span>}
      facts={
        <>
          <p class="job-facts num">{factsOf(view).join(' · ')}</p>
          {view.firstAt !== null && view.lastAt !== null && (
            <p class="job-facts num">Captured {rangeText(view.firstAt, view.lastAt)}</p>
          )}
        </>
      }
      actions={
        view.messages > 0 && (
          <a class="button" href={`/capture?mode=history&capture=${view.id}`}>
            Open
          </a>
        )
      }
    />
  )
}

function factsOf({ state, messages, frames, sizeBytes, createdAt }: ImportView): string[] {
  const isRead = frames > 0 || state === 'completed'
  return [
    ...(isRead ? [`${plural(messages, 'SIP message')} in ${plural(frames, 'packet')}`] : []),
    sizeText(sizeBytes),
    `imported ${secondTime(createdAt)}`,
  ]
}
