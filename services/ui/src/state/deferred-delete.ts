import { signal } from '@preact/signals'
import { authorization } from './api-client.ts'
import { removeJob } from './job-client.ts'
import { notify, renotify, withdraw } from './notices.ts'

/** As long as a deletion can be undone. */
const undoMillis = 8000

/** Paths of what is being deleted: lists leave them out. */
export const deleting = signal<ReadonlySet<string>>(new Set())

/**
 * Deletes a moment later, so that it can be undone. Closing the notice deletes at once, and so does leaving the page:
 * the person has said it and not taken it back.
 */
export function deleteLater(path: string, what: string, onDone: () => void): void {
  if (deleting.peek().has(path)) return
  mark(path, true)
  const leave = () => {
    void fetch(`/api/v1${path}`, { method: 'DELETE', headers: authorization(), keepalive: true })
  }
  const end = () => {
    clearTimeout(timer)
    window.removeEventListener('pagehide', leave)
  }
  const remove = async () => {
    end()
    withdraw(id)
    const answer = await removeJob(path)
    mark(path, false)
    if (!answer.ok && answer.problem.kind !== 'missing')
      notify({ level: 'error', text: `${what} could not be deleted. ${answer.problem.message}` })
    onDone()
  }
  const timer = setTimeout(() => void remove(), undoMillis)
  const id = notify({
    level: 'info',
    text: `${what} deleted.`,
    action: {
      label: 'Undo',
      run() {
        end()
        mark(path, false)
        renotify(id, { level: 'info', text: `${what} is still there.` })
        onDone()
      },
    },
    onClose: () => void remove(),
  })
  window.addEventListener('pagehide', leave)
}

function mark(path: string, on: boolean): void {
  const next = new Set(deleting.peek())
  if (on) next.add(path)
  else next.delete(path)
  deleting.value = next
}
