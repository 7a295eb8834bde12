import { useState } from 'preact/hooks'
import { useLazyPart } from './lazy-part.ts'

const loadSaved = () => import('./saved-searches.tsx')

/** Opens the saved searches. */
export function SavedButton() {
  const [open, setOpen] = useState(false)
  const { part } = useLazyPart(loadSaved, open)
  return (
    <>
      <button
        type="button"
        class="button"
        title="Saved searches and the link of this one"
        onClick={() => setOpen(true)}
      >
        <span aria-hidden="true">☆</span>Saved
      </button>
      {open && part !== null && <part.SavedSearches onClose={() => setOpen(false)} />}
    </>
  )
}
