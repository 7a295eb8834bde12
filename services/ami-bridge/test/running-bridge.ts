import { createBusKeys, type BusKeys } from '@sip-capture/contract/keys.ts'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { callEvent, type CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { endpointDirectory, type EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { sipRecord, type SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { sourceStatus, type SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { readConfig } from '@sip-capture/service/config.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import type { TestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { Redis } from 'ioredis'
import type { z } from 'zod'
import { type Bridge, startBridge } from '../src/bridge.ts'
import { settings } from '../src/config.ts'

/** The bus as a reader sees it. */
export interface BusReader {
  readonly keys: BusKeys
  readonly redis: Redis
  records(): Promise<SipRecord[]>
  calls(): Promise<CallEvent[]>
  directories(): Promise<EndpointDirectory[]>
  statuses(): Promise<SourceStatus[]>
  close(): void
}

export function createBusReader(url: string): BusReader {
  const redis = new Redis(url)
  const keys = createBusKeys()
  const read = async <T extends z.ZodType>(schema: T, key: string): Promise<z.output<T>[]> => {
    const entries = await redis.xrangeBuffer(key, '-', '+')
    return entries.flatMap(([, fields]) => {
      const batch = decodeBatch(schema, fields)
      if (batch.rejected.length > 0) throw new Error(batch.rejected[0]?.problem)
      return batch.items
    })
  }
  return {
    keys,
    redis,
    records: () => read(sipRecord, keys.trafficLog),
    calls: () => read(callEvent, keys.calls),
    directories: () => read(endpointDirectory, keys.endpoints),
    statuses: () => read(sourceStatus, keys.sources),
    close: () => redis.disconnect(),
  }
}

/** Settings of a bridge for one test PBX. HEP listens on a free port. */
export function bridgeEnvironment(
  pbx: Pick<TestPbx, 'address' | 'amiPort' | 'amiUsername' | 'amiSecret'>,
  redisUrl: string,
  more: Readonly<Record<string, string>> = {},
): Record<string, string> {
  return {
    REDIS_URL: redisUrl,
    NODE_NAME: 'test',
    LOG_LEVEL: process.env['TEST_LOG_LEVEL'] ?? 'silent',
    AMI_HOST: pbx.address,
    AMI_PORT: String(pbx.amiPort),
    AMI_USERNAME: pbx.amiUsername,
    AMI_SECRET: pbx.amiSecret,
    HEP_LISTEN: '127.0.0.1:0',
    ...more,
  }
}

export function startTestBridge(environment: Readonly<Record<string, string>>): Promise<Bridge> {
  const config = readConfig(settings, environment)
  return startBridge({ config, logger: createLogger({ name: 'ami-bridge', level: config.LOG_LEVEL }) })
}

/** Looks until `fact` gives something true; fails with `what` when the test would hang. */
export async function until<T>(
  what: string,
  fact: () => T | Promise<T>,
  withinMillis = 300_000,
): Promise<Exclude<T, false | null | undefined>> {
  const startedAt = performance.now()
  for (;;) {
    const value = await fact()
    if (value) return value as Exclude<T, false | null | undefined>
    const waitedMillis = performance.now() - startedAt
    if (waitedMillis > withinMillis) throw new Error(`it did not come about: ${what}`)
    // To read all of the bus is work for the processor that the bridge needs.
    await new Promise((resolve) => setTimeout(resolve, Math.min(250, 25 + waitedMillis / 20)))
  }
}
