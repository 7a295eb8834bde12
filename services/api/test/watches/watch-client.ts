import {
  pinnedCalls,
  watchMatches,
  type PinnedCall,
  type PinnedCalls,
  type WatchView,
} from '@sip-capture/contract/rest/watch.ts'
import type { ErrorBody } from '@sip-capture/contract/rest/page.ts'
import { inject, keys, publish, type ApiUnderTest } from '../api-under-test.ts'
import { callMessages, second, type CallScript } from '../calls/call-messages.ts'

/** Whatever the API answers: absent words are undefined at run time. */
type Body = WatchView & PinnedCall & PinnedCalls & ErrorBody & { matches: number; state: string }

/** One request, parsed. */
async function send(
  api: ApiUnderTest,
  method: 'GET' | 'POST' | 'PUT' | 'DELETE',
  path: string,
  payload?: object,
): Promise<{ status: number; body: Body }> {
  const response = await inject(api, { method, url: `/api/v1${path}`, ...(payload ? { payload } : {}) })
  const body = response.body === '' ? '{}' : response.body
  return { status: response.statusCode, body: JSON.parse(body) }
}

export const postWatch = (api: ApiUnderTest, watch: object) => send(api, 'POST', '/watches', watch)
export const putWatch = (api: ApiUnderTest, id: string, watch: object) =>
  send(api, 'PUT', `/watches/${id}`, watch)
export const readWatch = (api: ApiUnderTest, id: string) => send(api, 'GET', `/watches/${id}`)
export const readMatches = async (api: ApiUnderTest) =>
  watchMatches.parse((await send(api, 'GET', '/watches/matches')).body).items
export const readPins = async (api: ApiUnderTest) =>
  pinnedCalls.parse((await send(api, 'GET', '/pinned-calls')).body)
export const sendAny = send

export const nowMicros = () => Date.now() * 1000

/** A call that was answered and has ended just now, or that another was busy for. */
export async function placeCall(api: ApiUnderTest, script: Partial<CallScript> & { callId: string }) {
  await publish(
    api.redis.client,
    keys.trafficLog,
    callMessages({ startMicros: nowMicros() - second, final: [500, 486, 'Busy Here'], ...script }),
  )
}
