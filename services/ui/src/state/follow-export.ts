import { plural, sizeText } from '../format/number.ts'
import { shownText } from '../format/shown-text.ts'
import { createExport, type ExportOrder, isGoingOn, jobPath, readExport, removeJob } from './job-client.ts'
import { notify, renotify } from './notices.ts'

const pollMillis = 1000
const link = { href: '/exports', label: 'To the exports' }

/** Orders an export and tells its progress in a notice. Answers why it was refused, or `null`. */
export async function startExport(order: ExportOrder): Promise<string | null> {
  const answer = await createExport(order)
  if (!answer.ok) return answer.problem.message
  void follow(answer.value.id, shownText(order.name))
  return null
}

async function follow(id: string, name: string): Promise<void> {
  const what = name === '' ? 'Export' : `Export “${name}”`
  const notice = notify({ level: 'info', text: `${what} is waiting.`, progress: null, link })
  for (;;) {
    const answer = await readExport(id)
    if (!answer.ok && answer.problem.kind !== 'unreachable') {
      const text =
        answer.problem.kind === 'missing'
          ? `${what} was deleted.`
          : `${what}: what became of it is not known. ${shownText(answer.problem.message)}`
      return renotify(notice, { level: 'error', text, link })
    }
    if (answer.ok && !isGoingOn(answer.value)) {
      const { state, messages, sizeBytes, error } = answer.value
      if (state === 'completed') {
        const text = `${what} is done: ${plural(messages, 'message')}, ${sizeText(sizeBytes)}.`
        return renotify(notice, { level: 'info', text, link })
      }
      if (state === 'cancelled')
        return renotify(notice, { level: 'info', text: `${what} was cancelled.`, link })
      return renotify(notice, { level: 'error', text: `${what} failed. ${shownText(error ?? '')}`, link })
    }
    if (answer.ok)
      renotify(notice, {
        level: 'info',
        text: `${what}: ${plural(answer.value.messages, 'message')} so far`,
        progress: answer.value.progress,
        link,
        action: { label: 'Cancel', run: () => void removeJob(jobPath.export(id)) },
      })
    await new Promise((resolve) => {
      setTimeout(resolve, pollMillis)
    })
  }
}
