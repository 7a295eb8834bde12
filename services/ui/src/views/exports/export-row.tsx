import type { ExportView } from '@sip-capture/contract/rest/export.ts'
import { Download } from '../../components/download.tsx'
import { filterText, type ImportNames } from '../../format/filter.ts'
import { plural, sizeText } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime, toMicros } from '../../format/time.ts'
import { inText } from '../../format/until.ts'
import { startExport } from '../../state/follow-export.ts'
import { filterOf, isGoingOn, jobPath, orderOf } from '../../state/job-client.ts'
import { notify } from '../../state/notices.ts'
import { JobRow } from './job-row.tsx'

/** One export: what it holds, how far it is, and what can be done with it. */
export function ExportRow(props: { view: ExportView; importNames: ImportNames; onChanged: () => void }) {
  const { view, onChanged } = props
  const again = async () => {
    const refused = await startExport(orderOf(view))
    if (refused !== null) notify({ level: 'error', text: shownText(refused) })
    onChanged()
  }
  return (
    <JobRow
      kind="Export"
      job={view}
      path={jobPath.export(view.id)}
      onChanged={onChanged}
      tags={
        <>
          {view.mask && <span class="tag">masked</span>}
          {view.scheduleId !== null && <span class="tag">by schedule</span>}
        </>
      }
      facts={
        <>
          <p class="job-facts num">{factsOf(view).join(' · ')}</p>
          <p class="job-facts wrap">
            {rangeOf(view)}
            {filterText(filterOf(view.request['filter']), props.importNames)}
            {view.request['wholeCalls'] === true && ' · whole calls'}
          </p>
        </>
      }
      actions={
        <>
          {view.state === 'completed' && <Download path={jobPath.exportFile(view.id)}>Download</Download>}
          {!isGoingOn(view) && (
            <button
              type="button"
              class="button"
              title="Make it anew, with the same range and filter"
              onClick={() => void again()}
            >
              Again
            </button>
          )}
        </>
      }
    />
  )
}

/** Without a file there is nothing to count. */
function factsOf(view: ExportView): string[] {
  const hasFile = view.state === 'active' || view.state === 'completed'
  return [
    ...(hasFile ? [plural(view.messages, 'message'), sizeText(view.sizeBytes)] : []),
    view.format,
    secondTime(view.createdAt),
    ...(view.state === 'completed' ? [expiryText(view)] : []),
  ]
}

function expiryText({ expiresAt }: ExportView): string {
  return expiresAt === null
    ? 'kept by its schedule'
    : `deleted ${inText(toMicros(expiresAt), Date.now() * 1000)}`
}

/** The range that was asked for; the server has times as microseconds, the page sends RFC 3339. */
function rangeOf({ request }: ExportView): string {
  const since = momentOf(request['since'])
  const until = momentOf(request['until'])
  if (since === null && until === null) return ''
  return `${since === null ? '' : `from ${since} `}${until === null ? '' : `until ${until} `}· `
}

function momentOf(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? secondTime(String(value)) : null
}
