import type { ImportView } from '@sip-capture/contract/rest/import.ts'
import { useEffect, useState } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { rangeText } from '../../format/time.ts'
import type { ApiResult } from '../../state/api-client.ts'
import { deleteLater } from '../../state/deferred-delete.ts'
import { jobPath, readImport } from '../../state/job-client.ts'
import { navigate } from '../../state/location.ts'
import { importsChanged } from '../../state/notices.ts'

const toLive = () => navigate('/capture', new URLSearchParams())

/** While an import is looked at: what it is, and the way back to live. */
export function ImportBanner({ id }: { id: string }) {
  const [answer, setAnswer] = useState<ApiResult<ImportView> | null>(null)
  useEffect(() => {
    const load = async () => setAnswer(await readImport(id))
    void load()
  }, [id])
  const view = answer?.ok === true ? answer.value : null
  return (
    <div class="import-banner" role="status" data-testid="import-banner">
      <b>Imported:</b> <span class="import-name">{view === null ? id : shownText(view.name)}</span>
      {view !== null && (
        <span class="faint num">
          {plural(view.messages, 'message')}
          {view.firstAt !== null && view.lastAt !== null && ` · ${rangeText(view.firstAt, view.lastAt)}`}
        </span>
      )}
      {view?.error !== undefined && <span class="warn">! {shownText(view.error)}</span>}
      {answer?.ok === false && <span class="warn">! {shownText(answer.problem.message)}</span>}
      <span class="actions">
        <button type="button" class="button" onClick={toLive}>
          Back to live
        </button>
        {view !== null && (
          <button
            type="button"
            class="button"
            onClick={() => {
              deleteLater(jobPath.import(id), `Import ${shownText(view.name)}`, () => {
                importsChanged.value += 1
              })
              toLive()
            }}
          >
            Delete
          </button>
        )}
      </span>
    </div>
  )
}
