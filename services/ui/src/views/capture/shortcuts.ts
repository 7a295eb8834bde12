import { useLayoutEffect } from 'preact/hooks'

export interface Shortcut {
  readonly keys: readonly string[]
  readonly shown: string
  readonly what: string
  readonly run: () => void
}

/** Page-wide keys: silent while one types, and where a focused control has its own use for the key. */
export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  // At once: when a dialog is open, its Esc is not taken by the keys of the drawing before.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      const target = event.target instanceof HTMLElement ? event.target : null
      if (target?.matches('input, select, textarea') === true) return
      const actsItself = target?.matches('button, a, summary, [role="separator"]') === true
      if (actsItself && (event.key === 'Enter' || event.key === ' ')) return
      const shortcut = shortcuts.find(({ keys }) => keys.includes(event.key))
      if (shortcut === undefined) return
      event.preventDefault()
      shortcut.run()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  })
}
