import { Window } from 'happy-dom'
import { WebSocket } from 'ws'

/** A document for tests in Node. Imported before anything that draws or reads the address. */
const window = new Window({ url: 'http://localhost:3000/capture', width: 1440, height: 900 })

const names = [
  'document',
  'navigator',
  'HTMLElement',
  'HTMLDialogElement',
  'HTMLButtonElement',
  'HTMLInputElement',
  'Element',
  'Node',
  'Text',
  'Event',
  'KeyboardEvent',
  'MouseEvent',
  'MutationObserver',
  'ResizeObserver',
  'requestAnimationFrame',
  'cancelAnimationFrame',
  'getComputedStyle',
] as const
for (const name of names)
  Object.defineProperty(globalThis, name, {
    value: window[name as keyof Window],
    configurable: true,
    writable: true,
  })
Object.assign(globalThis, { window, WebSocket })

export { window }
