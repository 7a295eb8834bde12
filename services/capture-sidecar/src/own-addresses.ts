import { endpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { HostPort } from '@sip-capture/contract/bus/sip-record.ts'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import type { Redis } from 'ioredis'

/** Enough to find the last directory of each bridge. */
const entriesRead = 16

/**
 * The PBX's own addresses by the newest directory of each bridge on the `endpoints` stream; empty if there is none.
 * Rejects while Redis does not answer.
 */
export async function readOwnAddresses(redis: Redis, key: string): Promise<HostPort[]> {
  const entries = await redis.xrevrangeBuffer(key, '+', '-', 'COUNT', entriesRead)
  const byNode = new Map<string, HostPort[]>()
  for (const [, fields] of entries) {
    for (const directory of decodeBatch(endpointDirectory, fields).items.toReversed()) {
      if (!byNode.has(directory.node)) byNode.set(directory.node, directory.ownAddresses)
    }
  }
  return [...byNode.values()].flat()
}
