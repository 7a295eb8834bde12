import { z } from 'zod'
import { plural, sizeText } from '../format/number.ts'
import { shownText } from '../format/shown-text.ts'
import type { ImportView } from '@sip-capture/contract/rest/import.ts'
import { type ApiResult, authorization, describe } from './api-client.ts'
import { isGoingOn, readImport, removeJob, jobPath } from './job-client.ts'
import { navigate, pageLocation } from './location.ts'
import { type Notice, notify, renotify, withdraw } from './notices.ts'

const created = z.object({ id: z.string() })
const pollMillis = 500
const maxFiles = 20

/** First bytes of pcapng, and of pcap in both byte orders, with micro- and nanoseconds. */
const captureMagics = new Set([
  '0a0d0d0a',
  'd4c3b2a1',
  'a1b2c3d4',
  '4d3cb2a1',
  'a1b23c4d',
  '34cdb2a1',
  'a1b2cd34',
])

/** Takes dropped or chosen files in, one after the other. A single one is opened when it is read. */
export async function takeFiles(files: readonly File[], onChanged: () => void): Promise<void> {
  const taken = files.slice(0, maxFiles)
  if (files.length > maxFiles)
    notify({
      level: 'error',
      text: `${maxFiles} files at a time: ${plural(files.length - maxFiles, 'file')} not taken.`,
    })
  for (const file of taken) await takeFile(file, taken.length === 1, onChanged)
}

/** Why the file need not be sent at all, in a sentence, or `null`. */
export async function faultOf(file: File): Promise<string | null> {
  if (file.size === 0) return 'It is empty.'
  let magic: string
  try {
    const head = new Uint8Array(await file.slice(0, 4).arrayBuffer())
    magic = [...head].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  } catch {
    return 'The browser cannot read it; a folder must be opened file by file.'
  }
  // What is inside of gzip, the API sees when it unpacks it.
  if (captureMagics.has(magic) || magic.startsWith('1f8b')) return null
  if (magic === '504b0304' || magic === '28b52ffd')
    return 'It is compressed: unpack it first, then open the pcap or pcapng file inside.'
  return 'It is not a capture file: pcap and pcapng can be opened, from tcpdump, tshark, Wireshark or this page.'
}

async function takeFile(file: File, open: boolean, onChanged: () => void): Promise<void> {
  const name = shownText(file.name.slice(0, 120))
  const fault = await faultOf(file)
  if (fault !== null) {
    notify({ level: 'error', text: `${name} was not opened. ${fault}` })
    return
  }
  const startedAt = pageLocation.peek()
  const abort = new AbortController()
  const sending = (sent: number): Omit<Notice, 'id'> => ({
    level: 'info',
    text: `Sending ${name}: ${sizeText(sent)} of ${sizeText(file.size)}`,
    progress: sent / file.size,
    action: { label: 'Cancel', run: () => abort.abort() },
  })
  const id = notify(sending(0))
  const answer = await sendFile(file, abort.signal, (sent) => renotify(id, sending(sent)))
  if (!answer.ok) {
    renotify(id, {
      level: answer.problem.kind === 'aborted' ? 'info' : 'error',
      text:
        answer.problem.kind === 'aborted'
          ? `${name} was not opened.`
          : `${name} was not opened. ${shownText(answer.problem.message)}`,
    })
    return
  }
  onChanged()
  const view = await followImport(answer.value.id, (now) =>
    renotify(id, {
      level: 'info',
      text: `Reading ${name}: ${plural(now.messages, 'SIP message')} so far`,
      progress: now.progress,
      action: { label: 'Cancel', run: () => void removeJob(jobPath.import(answer.value.id)) },
    }),
  )
  onChanged()
  const stayed = pageLocation.peek() === startedAt
  if (open && stayed && view.ok && view.value.messages > 0) {
    navigate('/capture', new URLSearchParams({ mode: 'history', capture: view.value.id }))
    // What is opened says itself what it is, unless something is wrong with it.
    if (view.value.error === undefined) return withdraw(id)
  }
  renotify(id, outcome(view, name))
}

/** What became of an import, said once for notices and lists. */
export function outcome(answer: ApiResult<ImportView>, name: string): Omit<Notice, 'id'> {
  if (!answer.ok)
    return {
      level: 'error',
      text:
        answer.problem.kind === 'missing'
          ? `${name}: the import was cancelled or deleted.`
          : `${name}: what became of it is not known. ${shownText(answer.problem.message)}`,
    }
  const { id, state, messages, frames, error } = answer.value
  const why = error === undefined ? '' : ` ${shownText(error)}`
  const link = { href: `/capture?mode=history&capture=${id}`, label: 'Open' }
  const found = `${plural(messages, 'SIP message')} in ${plural(frames, 'packet')}`
  if (state === 'completed' && messages === 0)
    return { level: 'error', text: `${name} holds no SIP message: ${plural(frames, 'packet')} read.${why}` }
  if (state === 'completed' && error === undefined) return { level: 'info', text: `${name}: ${found}.`, link }
  if (messages > 0)
    return { level: 'error', text: `${name} could be read in part: ${found} are kept.${why}`, link }
  return { level: 'error', text: `${name} could not be read.${why}` }
}

async function followImport(
  id: string,
  onProgress: (view: ImportView) => void,
): Promise<ApiResult<ImportView>> {
  for (;;) {
    const answer = await readImport(id)
    // The API may be restarted meanwhile: the job goes on, and so does the asking.
    const retry = !answer.ok && answer.problem.kind === 'unreachable'
    if (answer.ok && isGoingOn(answer.value)) onProgress(answer.value)
    else if (!retry) return answer
    await new Promise((resolve) => {
      setTimeout(resolve, pollMillis)
    })
  }
}

type Upload = ApiResult<z.output<typeof created>>

const lost: Upload = {
  ok: false,
  problem: {
    kind: 'unreachable',
    message:
      'The connection ended before all of it was sent: the file changed, the API went away, or the file is larger than IMPORT_MAX_BYTES.',
  },
}
const aborted: Upload = { ok: false, problem: { kind: 'aborted', message: 'Cancelled.' } }

/** `fetch` tells nothing about how much was sent; this does. */
function sendFile(file: File, signal: AbortSignal, onProgress: (sentBytes: number) => void): Promise<Upload> {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest()
    signal.addEventListener('abort', () => request.abort())
    request.upload.addEventListener('progress', (event) => onProgress(Math.min(event.loaded, file.size)))
    request.addEventListener('error', () => resolve(lost))
    request.addEventListener('abort', () => resolve(aborted))
    request.addEventListener('load', () => resolve(settle(request)))
    request.open('POST', '/api/v1/imports')
    for (const [header, value] of Object.entries(authorization())) request.setRequestHeader(header, value)
    const form = new FormData()
    form.append('file', file, file.name)
    request.send(form)
  })
}

async function settle(request: XMLHttpRequest): Promise<Upload> {
  if (request.status < 200 || request.status > 299) {
    const problem = await describe(new Response(request.responseText, { status: request.status }))
    // A proxy in front has a bound of its own, and no JSON to say it with.
    if (request.status === 413 && problem.message.endsWith('413.'))
      return fail('It is larger than the server takes (IMPORT_MAX_BYTES).')
    return { ok: false, problem }
  }
  let body: unknown
  try {
    body = JSON.parse(request.responseText)
  } catch {
    return fail('The API sent something that is not JSON.')
  }
  const parsed = created.safeParse(body)
  return parsed.success ? { ok: true, value: parsed.data } : fail("The API's answer is not as agreed.")
}

function fail(message: string): Upload {
  return { ok: false, problem: { kind: 'refused', message } }
}
