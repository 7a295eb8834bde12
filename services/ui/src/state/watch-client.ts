import {
  pinnedCalls,
  delivery,
  watchMatches,
  type WatchView,
  watchView,
} from '@sip-capture/contract/rest/watch.ts'
import { z } from 'zod'
import { getJson, sendJson } from './api-client.ts'

const watchList = z.object({ items: z.array(watchView) })
const done = z.unknown()

/** Body of `POST /watches`. */
export interface WatchOrder {
  readonly name: string
  readonly search: string
  readonly url: string | null
  readonly repeat: 'once' | 'every'
  readonly whileRunning: boolean
  readonly pin: boolean
  readonly paused: boolean
}

export const watchPath = (id: string): string => `/watches/${encodeURIComponent(id)}`

export const listWatches = () => getJson('/watches', watchList)
export const listMatches = () => getJson('/watches/matches', watchMatches)
export const listPinnedCalls = () => getJson('/pinned-calls', pinnedCalls)
export const createWatch = (order: WatchOrder) => sendJson('POST', '/watches', order, done)
export const updateWatch = (id: string, order: WatchOrder) => sendJson('PUT', watchPath(id), order, done)
export const testWatch = (id: string) => sendJson('POST', `${watchPath(id)}/test`, undefined, delivery)

/** A watch as the body that would make it. */
export function orderOfWatch({
  name,
  search,
  url,
  repeat,
  whileRunning,
  pin,
  paused,
}: WatchView): WatchOrder {
  return { name, search, url, repeat, whileRunning, pin, paused }
}

/** Opens a call by our own id, whatever its Call-ID holds. */
export const matchLink = ({ id }: { readonly id: string }): string =>
  `/capture?call=${encodeURIComponent(id)}`
