import { useState } from 'preact/hooks'
import { shownText } from '../format/shown-text.ts'
import { pageLocation } from '../state/location.ts'
import { deleteSearch, savedSearches, saveSearch, searchUrl } from '../state/saved-searches.ts'
import { CopyButton } from './copy-button.tsx'
import { Modal } from './modal.tsx'

/** Searches with a name, and the link of the one in force. */
export function SavedSearches({ onClose }: { onClose: () => void }) {
  const [name, setName] = useState('')
  const [problem, setProblem] = useState<string | null>(null)
  const { path, params } = pageLocation.value
  const url = searchUrl(path, params)
  const save = () => {
    const trimmed = name.trim()
    const refused = trimmed === '' ? 'A name is missing.' : saveSearch({ name: trimmed, url })
    setProblem(refused)
    if (refused === null) setName('')
  }
  return (
    <Modal label="Saved searches" onClose={onClose}>
      <h2>Saved searches</h2>
      {savedSearches.value.length === 0 ? (
        <p class="faint">None yet. What you save stays in this browser; a link works for everyone.</p>
      ) : (
        <ul class="saved-list">
          {savedSearches.value.map((search) => (
            <li key={search.name}>
              <a href={search.url} title={shownText(decodeSafely(search.url))} onClick={onClose}>
                {shownText(search.name)}
              </a>
              <button
                type="button"
                class="link"
                aria-label={`Delete ${shownText(search.name)}`}
                onClick={() => deleteSearch(search)}
              >
                delete
              </button>
            </li>
          ))}
        </ul>
      )}
      <form
        onSubmit={(event) => {
          event.preventDefault()
          save()
        }}
      >
        <label class="field">
          <span class="field-label">Keep this search as</span>
          <input
            type="text"
            aria-label="Name of the search"
            maxLength={100}
            value={name}
            onInput={(event) => setName(event.currentTarget.value)}
          />
        </label>
        <p class="mono wrap faint">{shownText(decodeSafely(url))}</p>
        {problem !== null && (
          <p class="field-problem" role="alert">
            {problem}
          </p>
        )}
        <p class="actions">
          <button type="submit" class="button primary">
            Save
          </button>
          <CopyButton text={new URL(url, window.location.origin).href} label="Copy link" />
          <button type="button" class="button" onClick={onClose}>
            Close
          </button>
        </p>
      </form>
    </Modal>
  )
}

function decodeSafely(url: string): string {
  try {
    return decodeURIComponent(url.replaceAll('+', ' '))
  } catch {
    return url
  }
}
