import { signal } from '@preact/signals'

/** Something going on, or just done, that the person started: shown in a corner of every page. */
export interface Notice {
  readonly id: number
  readonly level: 'info' | 'error'
  /** Plain text; names from files are shown escaped. */
  readonly text: string
  /** 0..1, `null`: going on without a known end; absent: nothing goes on. */
  readonly progress?: number | null
  readonly link?: { readonly href: string; readonly label: string }
  readonly action?: { readonly label: string; run(): void }
  /** When it is closed by hand. */
  readonly onClose?: () => void
}

const maxNotices = 6
let lastId = 0

export const notices = signal<readonly Notice[]>([])

/** Shows a notice; the answer is its id. The oldest that nothing waits for makes room. */
export function notify(notice: Omit<Notice, 'id'>): number {
  const id = (lastId += 1)
  const kept = notices.peek()
  const idle = kept.length < maxNotices ? undefined : kept.find((one) => one.progress === undefined)
  notices.value = [...kept.filter((one) => one !== idle), { ...notice, id }]
  idle?.onClose?.()
  return id
}

/** Puts another in its place, where it is still shown. */
export function renotify(id: number, notice: Omit<Notice, 'id'>): void {
  const next = { ...notice, id }
  notices.value = notices.peek().map((one) => (one.id === id ? next : one))
}

/** Takes it away without asking what closing it means. */
export function withdraw(id: number): void {
  notices.value = notices.peek().filter((one) => one.id !== id)
}

export function closeNotice(id: number): void {
  const notice = notices.peek().find((one) => one.id === id)
  withdraw(id)
  notice?.onClose?.()
}

/** Grows when an import has come or changed: lists of imports ask anew. */
export const importsChanged = signal(0)
