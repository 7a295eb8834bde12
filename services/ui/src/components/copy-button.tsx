import { useState } from 'preact/hooks'

/** Copies text; says so in words, since nothing else on the screen changes. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [state, setState] = useState<'idle' | 'copied' | 'failed'>('idle')
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text)
      setState('copied')
    } catch {
      // Browsers give no clipboard to a page over plain http from another machine.
      setState('failed')
    }
  }
  return (
    <button type="button" class="button" onClick={() => void copy()} onBlur={() => setState('idle')}>
      {state === 'idle' ? label : state === 'copied' ? 'Copied' : 'Select the text and press Ctrl+C'}
    </button>
  )
}
