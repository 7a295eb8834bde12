import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { webhookBody, type WebhookBody } from '@sip-capture/contract/rest/watch.ts'

export interface Hook {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly text: string
  readonly body: WebhookBody
}

/** A real receiver of webhooks; `answer` says how each is taken. */
export async function startReceiver(
  t: { teardown(work: () => Promise<void>): void },
  answer: (hook: Hook, response: ServerResponse) => void = (_hook, response) => response.end(),
): Promise<{ url: string; hooks: Hook[] }> {
  const hooks: Hook[] = []
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const text = Buffer.concat(parts).toString()
      const hook = {
        path: request.url ?? '',
        headers: request.headers,
        text,
        body: webhookBody.parse(JSON.parse(text)),
      }
      hooks.push(hook)
      answer(hook, response)
    })
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, hooks }
}
