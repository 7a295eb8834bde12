import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { endpointDirectory, type EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { Redis } from 'ioredis'
import type { AliasesFeed } from './directory-aliases.ts'
import { createDirectory, type Directory } from './directory.ts'
import { readNewest } from './stream-entries.ts'

const pollMillis = 2_000
/** Directories looked at: each is whole, so the newest of each node is enough. */
const entriesBack = 32

export interface DirectoryFeed {
  readonly current: Directory
  /** The newest directory of each node. */
  readonly latest: readonly EndpointDirectory[]
  /** Is this endpoint what people call a trunk? */
  isTrunk(name: string, node: string): boolean
  /** The node whose Asterisk has an endpoint of exactly this name: `node` if it has, else the only one that has. */
  findNode(endpoint: string, node: string): string | undefined
  close(): void
}

/** Keeps the directory as the bridges last published it. While Redis is away the last one stays. */
export async function followDirectory(
  redis: Redis,
  key: string,
  aliases: AliasesFeed,
): Promise<DirectoryFeed> {
  const currentAliases = () => aliases.current
  let latest: readonly EndpointDirectory[] = []
  let current = createDirectory(latest, currentAliases)
  let trunks: ReadonlySet<string> = new Set()
  let newestId = ''

  async function poll(): Promise<void> {
    const entries = await readNewest(redis, key, entriesBack).catch(() => [])
    const [newest] = entries
    if (!newest || newest.id === newestId) return
    newestId = newest.id
    const byNode = new Map<string, EndpointDirectory>()
    for (const { fields } of entries)
      for (const directory of decodeBatch(endpointDirectory, fields).items.reverse())
        if (!byNode.has(directory.node)) byNode.set(directory.node, directory)
    latest = [...byNode.values()]
    current = createDirectory(latest, currentAliases)
    trunks = new Set(
      latest.flatMap(({ node, endpoints }) =>
        endpoints.filter(({ isTrunk }) => isTrunk).map(({ name }) => `${node}\0${name}`),
      ),
    )
  }

  await poll()
  const timer = setInterval(() => void poll(), pollMillis)
  return {
    get current() {
      return current
    },
    get latest() {
      return latest
    },
    findNode(name, node) {
      const having = latest
        .filter(({ endpoints }) => endpoints.some((endpoint) => endpoint.name === name))
        .map((directory) => directory.node)
      return having.includes(node) ? node : having.length === 1 ? having[0] : undefined
    },
    isTrunk: (name, node) => trunks.has(`${node}\0${name}`),
    close: () => clearInterval(timer),
  }
}
