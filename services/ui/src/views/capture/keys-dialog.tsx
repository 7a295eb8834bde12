import { Modal } from '../../components/modal.tsx'
import type { Shortcut } from './shortcuts.ts'

/** `?`: which key does what. */
export function KeysDialog({ shortcuts, onClose }: { shortcuts: readonly Shortcut[]; onClose: () => void }) {
  return (
    <Modal label="Keys" onClose={onClose}>
      <h2>Keys</h2>
      <dl class="keys">
        {shortcuts.map(({ shown, what }) => (
          <div key={shown}>
            <dt>
              <kbd>{shown}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <button type="button" class="button" onClick={onClose}>
        Close
      </button>
    </Modal>
  )
}
