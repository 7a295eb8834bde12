import type { BusKeys } from '@sip-capture/contract/keys.ts'
import { z } from 'zod'
import { redisUrl } from './config.ts'

/** Each costs a reader two connections. */
const maxShards = 32

/** Settings of the services that write or read what is captured. */
export const captureShardSettings = {
  /** Redis servers, by commas, that share the captured messages by Call-ID; unset: all are on REDIS_URL. */
  CAPTURE_REDIS_URLS: z
    .string()
    // A comma within a URL, as in a password, does not part.
    .transform((text) => text.split(/,\s*(?=[a-z]+:\/\/|\/)/).map((url) => url.trim()))
    .pipe(z.array(redisUrl).max(maxShards, `at most ${maxShards} servers`))
    .optional(),
}

/** A stream of captured messages, and the Redis that it is on. */
export interface CaptureShard {
  readonly redisUrl: string
  readonly key: string
}

/** In the order of CAPTURE_REDIS_URLS, which all services must have alike; none where captured messages are on REDIS_URL. */
export function captureShards(
  { CAPTURE_REDIS_URLS = [] }: { readonly CAPTURE_REDIS_URLS?: readonly string[] | undefined },
  keys: BusKeys,
): readonly CaptureShard[] {
  return CAPTURE_REDIS_URLS.map((url, index) => ({ redisUrl: url, key: keys.captureShard(index) }))
}

/** Which of `shards` has the messages of a Call-ID: FNV-1a, 32 bits, over its UTF-16 code units, then MurmurHash3's mixing, for
 *  the lowest bits of FNV-1a know the lowest bits of the characters alone. */
export function shardOfCall(callId: string, shards: number): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < callId.length; index += 1)
    hash = Math.imul(hash ^ callId.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return ((hash ^ (hash >>> 16)) >>> 0) % shards
}
