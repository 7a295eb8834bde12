import { toTrafficMessage } from '@sip-capture/contract/bus/traffic-message.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { keys, until, type ApiUnderTest } from '../api-under-test.ts'
import type { LiveClient } from '../live-client.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

export const start = 1_795_391_929_000_000

export const records = (count: number, callId: string, more: Partial<SipRecord> = {}) =>
  Array.from({ length: count }, (_, n) =>
    sipRecordOf(sipText({ callId, branch: `z9hG4bK${n}` }), { atMicros: start + n, ...more }),
  )

/** As the bridge publishes. */
export async function announce(api: Pick<ApiUnderTest, 'redis'>, items: readonly SipRecord[]): Promise<void> {
  for (const record of items)
    await api.redis.client.publish(keys.traffic, JSON.stringify(toTrafficMessage(record)))
}

export const callIds = (client: LiveClient) => client.rows().map(({ callId }) => callId)
export const ids = (client: LiveClient) => client.rows().map(({ id }) => id)

/** A ping that is answered: everything sent before it has been taken. */
export async function settle(client: LiveClient, id: string): Promise<void> {
  client.send({ type: 'ping', id })
  await until(
    () => client.frames,
    (frames) => frames.some((frame) => frame.type === 'pong' && frame.id === id),
  )
}
