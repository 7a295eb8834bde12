import { messageDetail } from '@sip-capture/contract/rest/message.ts'
import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { useEffect, useState } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'
import { getJson } from '../../state/api-client.ts'
import { toObserved } from '../../state/observed.ts'
import type { MessageEntry } from '../../state/row-store.ts'
import { DiffView } from '../ladder/diff-view.tsx'

/** Two rows of the table compared: fetched whole, the earlier on the left. */
export function CompareView({ marked, onClose }: { marked: readonly MessageEntry[]; onClose: () => void }) {
  const [pair, setPair] = useState<readonly ObservedMessage[] | null>(null)
  const [problem, setProblem] = useState('')
  const ids = marked.map((entry) => entry.row.id)
  useEffect(() => {
    const controller = new AbortController()
    const load = async () => {
      const answers = await Promise.all(
        ids.map((id) => getJson(`/messages/${encodeURIComponent(id)}`, messageDetail, controller.signal)),
      )
      if (controller.signal.aborted) return
      const failed = answers.find((answer) => !answer.ok)
      if (failed !== undefined && !failed.ok) return setProblem(failed.problem.message)
      const messages = answers.flatMap((answer) => (answer.ok ? (toObserved(answer.value) ?? []) : []))
      if (messages.length < 2) setProblem('Only messages that are SIP can be compared.')
      else setPair(messages.toSorted((a, b) => a.atMicros - b.atMicros))
    }
    void load()
    return () => controller.abort()
  }, [ids.join(' ')])
  const [left, right] = pair ?? []
  return (
    <section class="detail" aria-label="Compare two messages" data-testid="compare">
      <header class="detail-head">
        <button type="button" class="button close" aria-label="Close comparison (Esc)" onClick={onClose}>
          <span aria-hidden="true">✕</span>
        </button>
        <h2 class="detail-title">Two messages compared</h2>
      </header>
      {problem !== '' && <p class="notice">{shownText(problem)}</p>}
      {left !== undefined && right !== undefined && <DiffView left={left} right={right} onClose={onClose} />}
    </section>
  )
}
