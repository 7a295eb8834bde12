import { useState } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'
import { secondTime } from '../../format/time.ts'
import { deleteLater, deleting } from '../../state/deferred-delete.ts'
import { notify } from '../../state/notices.ts'
import type { OpenCallModel, OpenTarget } from '../../state/open-call.ts'
import { pinCall, pinPath } from '../../state/pin-client.ts'

/** Saves the open call from retention, or lets it go again. */
export function KeepButton(props: { open: OpenCallModel; target: OpenTarget & { readonly kind: 'call' } }) {
  const { open, target } = props
  const [sending, setSending] = useState(false)
  const pinned = open.call.value?.pinned ?? null
  const isKept = pinned !== null && !deleting.value.has(pinPath(target))
  const keep = async () => {
    setSending(true)
    const answer = await pinCall(target)
    setSending(false)
    if (answer.ok) open.retry()
    else notify({ level: 'error', text: `The call could not be kept. ${answer.problem.message}` })
  }
  const letGo = () => deleteLater(pinPath(target), 'The kept copy of this call', () => open.retry())
  const by = pinned === null || pinned.by === '' ? '' : ` by the watch “${shownText(pinned.by)}”`
  return (
    <button
      type="button"
      class="button keep-button"
      aria-pressed={isKept}
      disabled={sending}
      title={
        isKept
          ? `Kept beyond retention since ${secondTime(pinned.at)}${by}. Press to let it go`
          : 'Keep this call beyond retention'
      }
      onClick={() => (isKept ? letGo() : void keep())}
    >
      <span aria-hidden="true">{isKept ? '★' : '☆'}</span>
      {isKept ? 'Kept' : 'Keep'}
    </button>
  )
}
