import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'

/** A dialog that holds the focus; Esc closes it where `onClose` allows. */
export function Modal(props: { label: string; onClose: (() => void) | null; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null)
  // Before anything is painted: a key that is pressed when the dialog can be seen is the dialog's.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element?.open === false) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      class="modal"
      aria-label={props.label}
      onCancel={(event) => {
        event.preventDefault()
        props.onClose?.()
      }}
      onClose={({ currentTarget }) => {
        // At a second Esc Chromium closes it without asking.
        if (!currentTarget.isConnected || currentTarget.open) return
        if (props.onClose === null) currentTarget.showModal()
        else props.onClose()
      }}
    >
      {props.children}
    </dialog>
  )
}
