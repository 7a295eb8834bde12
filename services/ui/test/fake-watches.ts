import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerFrame } from '@sip-capture/contract/live.ts'
import {
  type PinnedCall,
  pinnedCall,
  pinnedCalls,
  type WatchMatch,
  watchMatch,
  watchMatches,
  watchRequest,
  type WatchView,
  watchView,
} from '@sip-capture/contract/rest/watch.ts'
import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'

/** Watches and kept calls of the fake API; a match comes when the test says so. */
export interface FakeWatches {
  watches: WatchView[]
  matches: WatchMatch[]
  pinned: PinnedCall[]
  /** A call matches the watch: it is listed and told. */
  match(watch: WatchView, call: CallRow, part?: Partial<WatchMatch>): WatchMatch
  /** What became of it: told again. */
  change(match: WatchMatch, part: Partial<WatchMatch>): void
}

let lastId = 0
const newId = () => (lastId += 1).toString(16).padStart(32, '0')
const now = () => toRfc3339(Date.now() * 1000)

export function createFakeWatches(send: (frame: ServerFrame) => void): {
  watches: FakeWatches
  /** True when the path is ours, and answered. */
  answerWatch: (request: IncomingMessage, path: string, response: ServerResponse) => boolean
} {
  const watches: FakeWatches = {
    watches: [],
    matches: [],
    pinned: [],
    match(watch, call, part = {}) {
      const { id, from, to, state, code, reason, startedAt, trunks, callIds, verdict } = call
      const at = now()
      const matched = {
        id,
        from,
        to,
        state,
        code,
        reason,
        startedAt,
        trunks,
        callId: callIds[0] ?? id,
        verdict,
      }
      const match = watchMatch.parse({
        id: `${watch.id}-${id}`,
        watchId: watch.id,
        watchName: watch.name,
        at,
        call: matched,
        pinned: false,
        delivery: null,
        ...part,
      })
      watches.matches.unshift(match)
      Object.assign(watch, { matches: watch.matches + 1, lastMatch: { at, call: match.call } })
      send({ type: 'watch:matched', items: [match], missed: 0 })
      return match
    },
    change(match, part) {
      Object.assign(match, part)
      send({ type: 'watch:matched', items: [match], missed: 0 })
    },
  }

  function answerWatch(request: IncomingMessage, path: string, response: ServerResponse): boolean {
    const json = (status: number, body?: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(body === undefined ? '' : JSON.stringify(body))
      return true
    }
    const { method } = request
    const pin = /^\/calls\/([^/]+)\/pin$/.exec(path)
    if (pin) {
      const callId = decodeURIComponent(pin[1] ?? '')
      watches.pinned = watches.pinned.filter((one) => one.callId !== callId)
      if (method === 'DELETE') return json(204)
      const one = pinnedCall.parse({
        id: newId(),
        callId,
        capture: null,
        pinnedAt: now(),
        pinnedBy: '',
        messages: 7,
        call: null,
      })
      watches.pinned.unshift(one)
      return json(200, one)
    }
    if (path === '/pinned-calls') return json(200, pinnedCalls.parse({ items: watches.pinned, max: 1000 }))
    if (path === '/watches/matches') return json(200, watchMatches.parse({ items: watches.matches }))
    const [, collection, id, action] = path.split('/')
    if (collection !== 'watches') return false
    const known = watches.watches.find((one) => one.id === id)
    if (id !== undefined && known === undefined)
      return json(404, { code: 'not-found', message: 'There is no such watch.' })
    if (method === 'GET') return json(200, known ?? { items: watches.watches })
    if (method === 'DELETE') {
      watches.watches = watches.watches.filter((one) => one !== known)
      return json(204)
    }
    if (action === 'test' && known !== undefined) {
      known.delivery = {
        state: 'failed',
        attempts: 1,
        status: 302,
        error: 'it answered 302: redirects are not followed',
        at: now(),
      }
      return json(200, known.delivery)
    }
    void readBody(request).then((body) => {
      const order = watchRequest.safeParse(JSON.parse(body))
      if (!order.success) return json(400, { code: 'bad-request', message: order.error.message })
      const view = watchView.parse({
        id: newId(),
        createdAt: now(),
        activeSince: now(),
        matches: 0,
        lastMatch: null,
        delivery: null,
        undelivered: 0,
        ...known,
        ...order.data,
      })
      watches.watches = [view, ...watches.watches.filter((one) => one !== known)]
      return json(known === undefined ? 201 : 200, view)
    })
    return true
  }
  return { watches, answerWatch }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts).toString()
}
