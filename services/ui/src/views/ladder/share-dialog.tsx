import type { Ladder } from '@sip-capture/sip/ladder.ts'
import { useMemo } from 'preact/hooks'
import { CopyButton } from '../../components/copy-button.tsx'
import { Modal } from '../../components/modal.tsx'
import { shareText } from './share-text.ts'
import type { WholeCall } from '../../state/read-call.ts'

/** The call as text for a ticket, to look at and to copy. */
export function ShareDialog(props: { call: WholeCall; ladder: Ladder; onClose: () => void }) {
  const { call, ladder, onClose } = props
  const text = useMemo(() => shareText(call, ladder, window.location.href), [call, ladder])
  return (
    <Modal label="Text for a ticket" onClose={onClose}>
      <h2>Text for a ticket</h2>
      <p class="faint">
        Markdown, with names, numbers and addresses as they were sent. Look through it before you send it on.
      </p>
      <pre class="share-text mono" tabIndex={0} aria-label="Text for a ticket">
        {text}
      </pre>
      <p class="actions">
        <CopyButton text={text} label="Copy" />
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </p>
    </Modal>
  )
}
