import { useState } from 'preact/hooks'
import { setAccessToken } from '../state/access.ts'
import { Modal } from './modal.tsx'

/** Asked for when the API answers 401. */
export function AccessDialog({ wrong, onToken }: { wrong: boolean; onToken: () => void }) {
  const [token, setToken] = useState('')
  return (
    <Modal label="Access token" onClose={null}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (token.trim() === '') return
          setAccessToken(token.trim())
          onToken()
        }}
      >
        <h2>This API wants a token</h2>
        <p>
          One of those in <code>API_TOKENS</code> of the api service. It is kept in this tab only.
        </p>
        {wrong && (
          <p class="field-problem" role="alert">
            The token was refused.
          </p>
        )}
        <label class="field">
          <span class="field-label">Token</span>
          <input
            type="password"
            autocomplete="off"
            aria-label="Token"
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        <p class="actions">
          <button type="submit" class="button primary">
            Use token
          </button>
        </p>
      </form>
    </Modal>
  )
}
