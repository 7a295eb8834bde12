import { signal } from '@preact/signals'

/** The API token, for this tab only: `sessionStorage` ends with it, and no cookie can be ridden by another site. */
const storageKey = 'sip-capture-token'

function readStored(): string {
  try {
    return window.sessionStorage.getItem(storageKey) ?? ''
  } catch {
    return ''
  }
}

export const accessToken = signal(readStored())

/** True when the API answered 401: the page asks for a token. */
export const accessRefused = signal(false)

export function setAccessToken(token: string): void {
  accessToken.value = token
  accessRefused.value = false
  try {
    window.sessionStorage.setItem(storageKey, token)
  } catch {
    // Storage may be forbidden; the token then lasts until the page is reloaded.
  }
}

/** Browsers cannot set headers on a WebSocket: the token rides as a subprotocol beside our own. */
export function socketProtocols(token: string): string[] {
  if (token === '') return ['sip-capture']
  const bytes = new TextEncoder().encode(token)
  const base64 = btoa(String.fromCharCode(...bytes))
  const base64url = base64.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  return ['sip-capture', `token.${base64url}`]
}
