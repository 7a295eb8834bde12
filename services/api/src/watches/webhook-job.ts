import { nowMicros, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { Delivery, WatchMatch } from '@sip-capture/contract/rest/watch.ts'
import { UnrecoverableError } from 'bullmq'
import { toWebhookBody, type WatchContext } from './watch-context.ts'
import { toMatchView } from './match-job.ts'
import { postWebhook } from './webhook.ts'

/** One try of a match's webhook. @throws when it is to be tried again, UnrecoverableError when that cannot help */
export async function runWebhook(
  context: WatchContext,
  match: WatchMatch,
  { attempt, isLast }: { attempt: number; isLast: boolean },
): Promise<void> {
  const { config, watches, stopping } = context
  const watch = await watches.find(match.watchId)
  // Deleted, or no longer wanted, in the meantime.
  if (!watch || watch.url === null) return
  const outcome = await postWebhook({
    url: watch.url,
    body: toWebhookBody(config, watch, match),
    secret: config.WATCH_SECRET,
    stopping,
  })
  if (stopping.aborted && !outcome.isDelivered) throw new Error('the service is stopping')
  const isOver = outcome.isDelivered || outcome.isFinal || isLast
  await tell(context, match, {
    state: outcome.isDelivered ? 'delivered' : isOver ? 'failed' : 'waiting',
    attempts: attempt,
    status: outcome.status,
    at: toRfc3339(nowMicros()),
    ...(outcome.error === undefined ? {} : { error: outcome.error }),
  })
  if (outcome.isDelivered) return
  const reason = outcome.error ?? 'it was not delivered'
  throw outcome.isFinal ? new UnrecoverableError(reason) : new Error(reason)
}

async function tell(context: WatchContext, { id, watchId }: WatchMatch, delivery: Delivery): Promise<void> {
  const { matches, watches, redis, keys } = context
  const match = await matches.change(id, (old) => ({ ...old, delivery }))
  await watches.change(watchId, (old) => ({
    ...old,
    delivery,
    undelivered: old.undelivered + Number(delivery.state === 'failed'),
  }))
  if (match) await redis.publish(keys.news, JSON.stringify(toMatchView(match)))
}
