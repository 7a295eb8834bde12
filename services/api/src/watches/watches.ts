import { randomBytes } from 'node:crypto'
import {
  asksForRunning,
  type Delivery,
  type WatchMatch,
  type WatchRequest,
  type WatchView,
} from '@sip-capture/contract/rest/watch.ts'
import { toCallQuery } from '@sip-capture/contract/search/call-query.ts'
import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import { ApiError } from '../errors.ts'
import { notFound } from '../jobs/exports.ts'
import { answered } from '../jobs/job-queue.ts'
import { toMatchView } from './match-job.ts'
import { toWebhookBody, type WatchContext } from './watch-context.ts'
import type { WatchRecord } from './watch-record.ts'
import { AddressRefused, checkHost } from './webhook-address.ts'
import { postWebhook } from './webhook.ts'

/** What the routes may do with watches. All throw ApiError: 400, 404, 429, 503; SearchError. */
export interface Watches {
  create(request: WatchRequest): Promise<WatchView>
  list(): Promise<WatchView[]>
  find(id: string): Promise<WatchView>
  replace(id: string, request: WatchRequest): Promise<WatchView>
  remove(id: string): Promise<void>
  /** Sends its webhook a test, now and once. */
  test(id: string): Promise<Delivery>
  /** Newest first. */
  matches(): Promise<WatchMatch[]>
}

const maxWatches = 100
const maxShownMatches = 200

export function createWatches(context: WatchContext): Watches {
  const { config, watches, matches, redis, keys } = context

  async function findRecord(id: string): Promise<WatchRecord> {
    const record = await answered(watches.find(id))
    if (!record) throw notFound('watch')
    return record
  }

  return {
    async create(request) {
      check(request)
      if ((await answered(watches.list())).length >= maxWatches)
        throw new ApiError(
          429,
          'too-many-watches',
          `there are ${maxWatches} watches already; delete one first`,
        )
      const now = toRfc3339(nowMicros())
      const record: WatchRecord = {
        ...withRunning(request),
        id: randomBytes(16).toString('hex'),
        createdAt: now,
        activeSince: now,
        matches: 0,
        lastMatch: null,
        delivery: null,
        undelivered: 0,
      }
      await answered(watches.add(record))
      return record
    },
    list: () => answered(watches.list()),
    find: findRecord,
    async replace(id, request) {
      check(request)
      const now = toRfc3339(nowMicros())
      const record = await answered(
        watches.change(id, (old) => {
          // What happened while it was paused, or asked for something else, is no news.
          const isNew = (old.paused && !request.paused) || old.search !== request.search
          return { ...old, ...withRunning(request), activeSince: isNew ? now : old.activeSince }
        }),
      )
      if (!record) throw notFound('watch')
      return record
    },
    async remove(id) {
      await findRecord(id)
      await answered(watches.remove(id))
      await answered(redis.del(keys.seen(id)))
      for (const match of await answered(matches.list()))
        if (match.watchId === id) await answered(matches.remove(match.id))
    },
    async test(id) {
      const watch = await findRecord(id)
      if (watch.url === null) throw new ApiError(400, 'no-webhook', 'this watch has no webhook to test')
      const at = toRfc3339(nowMicros())
      const body = toWebhookBody(config, watch, {
        id: `test-${randomBytes(16).toString('hex')}`,
        at,
        call: null,
      })
      const outcome = await postWebhook({ url: watch.url, body, secret: config.WATCH_SECRET })
      const delivery: Delivery = {
        state: outcome.isDelivered ? 'delivered' : 'failed',
        attempts: 1,
        status: outcome.status,
        at,
        ...(outcome.error === undefined ? {} : { error: outcome.error }),
      }
      await answered(watches.change(id, (old) => ({ ...old, delivery })))
      return delivery
    },
    async matches() {
      return (await answered(matches.list())).slice(0, maxShownMatches).map(toMatchView)
    },
  }
}

const withRunning = (request: WatchRequest) => ({
  ...request,
  whileRunning: request.whileRunning ?? asksForRunning(request.search, { nowMicros: nowMicros() }),
})

/** What the contract cannot say. @throws ApiError 400 that names the field, SearchError */
function check({ search, url }: WatchRequest): void {
  if (search.trim() !== '') toCallQuery({ q: search }, { nowMicros: nowMicros() })
  try {
    if (url !== null) checkHost(new URL(url))
  } catch (error) {
    throw error instanceof AddressRefused ? new ApiError(400, 'bad-request', `url: ${error.message}`) : error
  }
}
