import { createHmac } from 'node:crypto'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { request as httpsRequest } from 'node:https'
import type { WebhookBody } from '@sip-capture/contract/rest/watch.ts'
import { AddressRefused, checkHost, lookupAllowed } from './webhook-address.ts'

export interface WebhookOutcome {
  readonly isDelivered: boolean
  /** HTTP status; null: none came. */
  readonly status: number | null
  /** One sentence; absent when it was delivered. */
  readonly error?: string
  /** Another try cannot help. */
  readonly isFinal: boolean
}

export const webhookMillis = 5_000
/** Of the answer's body: only its status counts, and a connection that goes on talking is cut. */
const maxAnswerBytes = 64 * 1024
const maxHeaderBytes = 16 * 1024

/**
 * One POST. Headers as Standard Webhooks has them, so that its libraries check the signature: `webhook-id`, `webhook-timestamp`
 * and, with a secret, `webhook-signature: v1,<base64 HMAC-SHA256 of "id.timestamp.body">`. Redirects are not followed. Never throws.
 */
export async function postWebhook(options: {
  url: string
  body: WebhookBody
  secret?: string | undefined
  timeoutMillis?: number
  stopping?: AbortSignal
}): Promise<WebhookOutcome> {
  const { body, secret, timeoutMillis = webhookMillis, stopping } = options
  const text = JSON.stringify(body)
  const timestamp = String(Math.floor(Date.now() / 1000))
  const timeout = AbortSignal.timeout(timeoutMillis)
  try {
    const url = new URL(options.url)
    checkHost(url)
    const status = await post(
      url,
      text,
      {
        'content-type': 'application/json',
        'user-agent': 'sip-capture',
        'webhook-id': body.id,
        'webhook-timestamp': timestamp,
        ...(secret === undefined
          ? {}
          : { 'webhook-signature': `v1,${sign(secret, `${body.id}.${timestamp}.${text}`)}` }),
      },
      stopping ? AbortSignal.any([timeout, stopping]) : timeout,
    )
    if (status >= 200 && status < 300) return { isDelivered: true, status, isFinal: true }
    const error =
      status >= 300 && status < 400
        ? `it answered ${status}: redirects are not followed`
        : `it answered ${status}`
    return { isDelivered: false, status, error, isFinal: false }
  } catch (error) {
    return {
      isDelivered: false,
      status: null,
      error: timeout.aborted ? `no answer within ${timeoutMillis} ms` : describe(error),
      isFinal: error instanceof AddressRefused,
    }
  }
}

function post(url: URL, text: string, headers: Record<string, string>, signal: AbortSignal): Promise<number> {
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const sent = send(url, {
      method: 'POST',
      agent: false,
      lookup: lookupAllowed,
      maxHeaderSize: maxHeaderBytes,
      headers: { ...headers, 'content-length': String(Buffer.byteLength(text)) },
      signal,
    })
    sent.on('error', reject)
    sent.on('response', (answer) => {
      readEnd(answer, () => {
        sent.destroy()
        resolve(answer.statusCode ?? 0)
      })
    })
    sent.end(text)
  })
}

/** Reads the body away as far as its bound: a receiver that is still writing must not see an error for what it accepted. */
function readEnd(answer: IncomingMessage, onEnd: () => void): void {
  let bytes = 0
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxAnswerBytes) onEnd()
  })
  // The status has come: what breaks afterwards changes nothing.
  for (const event of ['end', 'error', 'close']) answer.on(event, onEnd)
}

/** `whsec_…` is base64, as Standard Webhooks writes secrets; any other text is itself the key. */
function sign(secret: string, text: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice(6), 'base64') : secret
  return createHmac('sha256', key).update(text).digest('base64')
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return 'it could not be asked'
  const code = 'code' in error && typeof error.code === 'string' ? ` (${error.code})` : ''
  const message = error.message === '' ? error.name : error.message
  return message.includes(code.slice(2, -1)) ? message.slice(0, 300) : `${message.slice(0, 300)}${code}`
}
