import {
  chromiumProgram,
  type NeededProgram,
  pythonProgram,
  redisProgram,
  sippProgram,
  sngrepProgram,
  tcpdumpProgram,
  tcpreplayProgram,
  tsharkProgram,
} from '@sip-capture/infra/debian-packages.ts'
import { nodeArguments } from '@sip-capture/infra/service-command.ts'
import type { RunRow } from './row.ts'

export interface BenchRow {
  readonly name: string
  readonly what: string
  readonly needs: readonly NeededProgram[]
  /** Compared with; the row says "not installed" where it cannot be had. */
  readonly peers?: readonly NeededProgram[]
  /** Left out of a quick run of all rows, which is to end within two minutes. */
  readonly isLong?: true
  /** What its process is started with. */
  readonly nodeArguments?: readonly string[]
  readonly load: () => Promise<{ readonly run: RunRow }>
}

/** All rows, in the order of the table. Targets stand beside the figures in the rows' own files. */
export const rows: readonly BenchRow[] = [
  {
    name: 'decode',
    what: 'frames → SIP messages in the sidecar, one core, against tshark -T ek',
    needs: [tsharkProgram],
    load: () => import('./decode.ts'),
  },
  {
    name: 'live',
    isLong: true,
    what: '100,000 packets/s on loopback through the sidecar, none lost',
    needs: [redisProgram, tsharkProgram, tcpreplayProgram],
    load: () => import('./live.ts'),
  },
  {
    name: 'chain',
    what: 'frames → Redis → history on disk and a subscribed page, none lost, against the seed’s way',
    needs: [redisProgram, tsharkProgram],
    load: () => import('./chain.ts'),
  },
  {
    name: 'latency',
    isLong: true,
    what: 'frame on the wire → row in the browser at 1,000 messages/s',
    needs: [redisProgram, tsharkProgram, tcpdumpProgram, chromiumProgram],
    load: () => import('./latency.ts'),
  },
  {
    name: 'call',
    isLong: true,
    what: 'INVITE of a call through a real Asterisk → its row of each path in the browser',
    needs: [redisProgram, tsharkProgram, sippProgram, chromiumProgram],
    load: () => import('./call.ts'),
  },
  {
    name: 'sidecar',
    what: 'what the sidecar costs a PBX at 1,000 messages/s',
    needs: [redisProgram, tsharkProgram],
    load: () => import('./sidecar.ts'),
  },
  {
    name: 'bridge',
    isLong: true,
    what: 'what the bridge costs at 1,000 messages/s by HEP',
    needs: [redisProgram],
    load: () => import('./bridge.ts'),
  },
  {
    name: 'pages',
    what: '200 pages with different filters at 2,000 messages/s',
    needs: [redisProgram],
    load: () => import('./pages.ts'),
  },
  {
    name: 'verdict',
    what: 'judging a call after each of its messages at 10,000 messages/s',
    needs: [],
    nodeArguments: nodeArguments.api ?? [],
    load: () => import('./verdict.ts'),
  },
  {
    name: 'history',
    what: 'look-ups while 5,000 messages/s come in, disk a message, growth',
    needs: [redisProgram],
    load: () => import('./history.ts'),
  },
  {
    name: 'cluster',
    isLong: true,
    what: 'messages into two shards of a ClickHouse cluster, one killed meanwhile: none lost, none twice',
    needs: [redisProgram, pythonProgram],
    load: () => import('./cluster.ts'),
  },
  {
    name: 'page',
    isLong: true,
    what: 'the page at 1,000 rows/s, and 100,000 rows scrolled',
    needs: [redisProgram, chromiumProgram],
    load: () => import('./page.ts'),
  },
  {
    name: 'ladder',
    isLong: true,
    what: 'calls of 5,000 and 10,000 messages opened from history by a click, and scrolled',
    needs: [redisProgram, chromiumProgram],
    load: () => import('./ladder.ts'),
  },
  {
    name: 'load',
    isLong: true,
    what: 'the page opened for the first time',
    needs: [redisProgram, chromiumProgram],
    load: () => import('./load.ts'),
  },
  {
    name: 'import',
    what: 'a capture file until it is searchable, against sngrep and tshark -Y',
    needs: [redisProgram, tsharkProgram],
    peers: [sngrepProgram],
    load: () => import('./import.ts'),
  },
  {
    name: 'export',
    isLong: true,
    what: 'exports of one dialog and of everything',
    needs: [redisProgram, tsharkProgram],
    load: () => import('./export.ts'),
  },
  {
    name: 'start',
    what: 'npm start until ready, all installed',
    needs: [redisProgram],
    load: () => import('./start.ts'),
  },
]
