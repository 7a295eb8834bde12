import { effect, signal } from '@preact/signals'

export type Theme = 'auto' | 'dark' | 'light'
const storageKey = 'sip-capture-theme'

function readStored(): Theme {
  try {
    const stored = window.localStorage.getItem(storageKey)
    return stored === 'dark' || stored === 'light' ? stored : 'auto'
  } catch {
    return 'auto'
  }
}

export const theme = signal<Theme>(readStored())

/** `auto` follows the system, through the style sheet alone. */
export function applyTheme(): () => void {
  return effect(() => {
    const chosen = theme.value
    if (chosen === 'auto') delete document.documentElement.dataset['theme']
    else document.documentElement.dataset['theme'] = chosen
    try {
      if (chosen === 'auto') window.localStorage.removeItem(storageKey)
      else window.localStorage.setItem(storageKey, chosen)
    } catch {
      // Storage may be forbidden; the choice then lasts until the page is reloaded.
    }
  })
}
