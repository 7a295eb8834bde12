import { fits } from '@sip-capture/contract/fits.ts'
import { errorBody } from '@sip-capture/contract/rest/page.ts'
import type { z } from 'zod'
import { accessRefused, accessToken } from './access.ts'

export interface ApiProblem {
  readonly kind: 'unauthorized' | 'missing' | 'refused' | 'unreachable' | 'unreadable' | 'aborted'
  /** A sentence for the person at the screen. */
  readonly message: string
  /** The search text could not be read: the search bar says where and why. */
  readonly isSearch?: boolean
}

export type ApiResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problem: ApiProblem }

const timeoutMillis = 30_000

const unreachable: ApiProblem = {
  kind: 'unreachable',
  message:
    'The API does not answer. Is the api service running, and does API_URL of the page server point at it?',
}

const notJson = 'The API sent something that is not JSON.'

/** GET below `/api/v1`, checked against the contract. Never throws: what goes wrong is a sentence. */
export async function getJson<T extends z.ZodType>(
  path: string,
  schema: T,
  signal?: AbortSignal,
): Promise<ApiResult<z.output<T>>> {
  return readBody(await request(path, signal), schema)
}

async function readBody<T extends z.ZodType>(
  answer: ApiResult<Response>,
  schema: T,
): Promise<ApiResult<z.output<T>>> {
  if (!answer.ok) return answer
  let text: string
  try {
    text = await answer.value.text()
  } catch {
    return fail('unreadable', notJson)
  }
  const body = parseJson(text === '' ? 'null' : text)
  return body.ok ? check(body.value, schema) : body
}

export function parseJson(text: string): ApiResult<unknown> {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch {
    return fail('unreadable', notJson)
  }
}

/** What the API sent, against the contract. */
export function check<T extends z.ZodType>(value: unknown, schema: T): ApiResult<z.output<T>> {
  // zod's copy of thousands of messages would take longer than drawing them.
  if (fits(schema, value)) return { ok: true, value }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { ok: true, value: parsed.data }
  const issue = parsed.error.issues[0]
  return fail(
    'unreadable',
    `The API's answer is not as agreed (${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}). Are page and API of the same version?`,
  )
}

/** GET of text lines, each as it comes; they end early where the answer was cut off. */
export async function getLines(path: string, signal: AbortSignal): Promise<ApiResult<AsyncIterable<string>>> {
  const answer = await request(path, signal)
  if (!answer.ok) return answer
  const { body } = answer.value
  return body === null ? fail('unreadable', notJson) : { ok: true, value: linesOf(body) }
}

async function* linesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let begun = ''
  for (;;) {
    const part = await reader.read().catch(() => null)
    if (part === null || part.done) return
    const text = decoder.decode(part.value, { stream: true })
    let from = 0
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
      yield begun + text.slice(from, end)
      begun = ''
      from = end + 1
    }
    begun += text.slice(from)
  }
}

/** POST, PUT or DELETE below `/api/v1`. An empty answer is `null` for the schema. */
export async function sendJson<T extends z.ZodType>(
  method: 'POST' | 'PUT' | 'PATCH' | 'DELETE',
  path: string,
  body: unknown,
  schema: T,
): Promise<ApiResult<z.output<T>>> {
  return readBody(await request(path, undefined, { method, body }), schema)
}

/** A download with the token; `onProgress` gets the bytes so far. */
export async function getBlob(
  path: string,
  onProgress: (receivedBytes: number) => void,
): Promise<ApiResult<{ blob: Blob; fileName: string }>> {
  const answer = await request(path)
  if (!answer.ok) return answer
  const response = answer.value
  const fileName =
    /filename="([^"/\\]{1,200})"/.exec(response.headers.get('content-disposition') ?? '')?.[1] ??
    'capture.pcapng'
  const parts: BlobPart[] = []
  let received = 0
  try {
    const reader = response.body?.getReader()
    for (;;) {
      const part = await reader?.read()
      if (part === undefined || part.done) break
      parts.push(part.value)
      received += part.value.length
      onProgress(received)
    }
  } catch {
    return { ok: false, problem: unreachable }
  }
  return { ok: true, value: { blob: new Blob(parts), fileName } }
}

async function request(
  path: string,
  signal?: AbortSignal,
  change?: { method: string; body: unknown },
): Promise<ApiResult<Response>> {
  // Bounds the wait for the answer's head; a large file may take as long as it takes.
  const limit = new AbortController()
  const timer = setTimeout(() => limit.abort(), timeoutMillis)
  let response: Response
  try {
    response = await fetch(`/api/v1${path}`, {
      method: change?.method ?? 'GET',
      headers: {
        ...authorization(),
        ...(change?.body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(change?.body === undefined ? {} : { body: JSON.stringify(change.body) }),
      signal: signal === undefined ? limit.signal : AbortSignal.any([signal, limit.signal]),
      cache: 'no-store',
    })
  } catch {
    return signal?.aborted === true
      ? fail('aborted', 'No longer needed.')
      : { ok: false, problem: unreachable }
  } finally {
    clearTimeout(timer)
  }
  if (response.ok) return { ok: true, value: response }
  return { ok: false, problem: await describe(response) }
}

export function authorization(): Record<string, string> {
  const token = accessToken.peek()
  return token === '' ? {} : { authorization: `Bearer ${token}` }
}

/** What a refusal means, as a sentence. */
export async function describe(response: Response): Promise<ApiProblem> {
  if (response.status === 401) {
    accessRefused.value = true
    return { kind: 'unauthorized', message: 'The API wants a token (API_TOKENS).' }
  }
  let message = ''
  let isSearch = false
  try {
    const body = errorBody.safeParse(await response.json())
    if (body.success) {
      const { code, issues = [] } = body.data
      isSearch = code === 'bad-query'
      // Where the message already says what the issues say, once is enough.
      const more = issues.filter((issue) => !body.data.message.includes(issue.message))
      message = [body.data.message, ...more.map((issue) => `${issue.path}: ${issue.message}`)].join(' · ')
    }
  } catch {
    // No JSON: a proxy answered, not the API.
  }
  if (response.status === 404) return { kind: 'missing', message: message || 'Not found.' }
  if (response.status >= 502 && response.status <= 504 && message === '') return unreachable
  return { kind: 'refused', message: message || `The API answered ${response.status}.`, isSearch }
}

export function fail(kind: ApiProblem['kind'], message: string): { ok: false; problem: ApiProblem } {
  return { ok: false, problem: { kind, message } }
}
