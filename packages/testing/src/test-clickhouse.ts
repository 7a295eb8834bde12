import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { findFreePort } from './free-port.ts'

export interface TestClickHouseServer {
  readonly url: string
  readonly pid: number
  /** SIGKILL: it ends as if its machine had lost power. */
  kill(): Promise<void>
  /** Starts it again on the same ports and the same folder. */
  start(): Promise<void>
}

export interface TestClickHouse {
  /** One a shard. */
  readonly servers: readonly TestClickHouseServer[]
  /** As `remote_servers` of every server names them all. */
  readonly cluster: string
  /** Kills all of it and removes its folders. */
  stop(): Promise<void>
}

const cluster = 'pair'

/** The engine as a library has no program of its own, and wants the main thread's stack: `chdb_query_cmdline(argc, argv)`. */
const host = `
import ctypes, sys
ctypes.CDLL(None).prctl(1, 9)  # PR_SET_PDEATHSIG: it ends with the test
library = ctypes.CDLL(sys.argv[1], mode=ctypes.RTLD_GLOBAL)
words = [b'clickhouse'] + [word.encode() for word in sys.argv[2:]]
library.chdb_query_cmdline.restype = ctypes.c_void_p
library.chdb_query_cmdline(len(words), (ctypes.c_char_p * (len(words) + 1))(*words, None))
`

/** It serves for as long as its first query takes: weeks. */
const serve = `SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP;
  SELECT sleepEachRow(1) FROM numbers(10000000) SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0 FORMAT Null`

const smallPools = {
  background_pool_size: 2,
  background_merges_mutations_concurrency_ratio: 2,
  background_schedule_pool_size: 4,
  background_common_pool_size: 1,
  background_move_pool_size: 1,
  background_fetches_pool_size: 1,
  background_message_broker_schedule_pool_size: 1,
  background_distributed_schedule_pool_size: 1,
  mark_cache_size: 67_108_864,
  uncompressed_cache_size: 0,
} as const

/**
 * Real ClickHouse servers on free loopback ports, a cluster of one shard each, from the engine that the package `chdb` brings.
 * `from`: a module of a package that depends on `chdb`. Needs python3 with ctypes.
 */
export async function startTestClickHouse(from: string, count = 2): Promise<TestClickHouse> {
  const chdb = createRequire(from).resolve('chdb')
  const library = createRequire(chdb).resolve('@chdb/lib-linux-x64-gnu/libchdb.so')
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-clickhouse-'))
  const ports: { http: number; tcp: number }[] = []
  for (let n = 0; n < count; n++) ports.push({ http: await findFreePort(), tcp: await findFreePort() })
  const config = join(folder, 'config.xml')
  await writeFile(config, toConfig(ports.map(({ tcp }) => tcp)))
  const servers: TestClickHouseServer[] = []
  const stop = async () => {
    for (const server of servers) await server.kill()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    for (const [index, { http, tcp }] of ports.entries()) {
      const path = join(folder, String(index + 1))
      await mkdir(path)
      const server = createServer({ library, config, path, http, tcp })
      servers.push(server)
      await server.start()
    }
  } catch (error) {
    await stop()
    throw error
  }
  return { servers, cluster, stop }
}

function createServer(place: {
  library: string
  config: string
  path: string
  http: number
  tcp: number
}): TestClickHouseServer {
  const { library, config, path, http, tcp } = place
  const url = `http://127.0.0.1:${http}`
  let child: ChildProcess | undefined
  return {
    url,
    get pid() {
      return child?.pid ?? 0
    },
    async start() {
      const said: string[] = []
      const started = spawn(
        'python3',
        [
          '-c',
          host,
          library,
          `--config-file=${config}`,
          `--path=${path}`,
          '--listen_host=127.0.0.1',
          `--http_port=${http}`,
          `--tcp_port=${tcp}`,
          '--query',
          serve,
        ],
        { cwd: path, stdio: ['ignore', 'pipe', 'pipe'] },
      )
      child = started
      for (const stream of [started.stdout, started.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => said.push(text))
      let fault: Error | undefined
      started.on('error', (error) => (fault = error))
      while (!(await isAnswering(url))) {
        if (fault) throw new Error(`python3 cannot be started: ${fault.message}`, { cause: fault })
        if (started.exitCode !== null || started.signalCode !== null)
          throw new Error(
            `the ClickHouse server ended with ${started.exitCode}: ${said.join('').slice(-2_000)}`,
          )
        await pause(50)
      }
    },
    async kill() {
      if (!child?.pid || child.exitCode !== null || child.signalCode !== null) return
      const gone = once(child, 'exit')
      child.kill('SIGKILL')
      await gone
    },
  }
}

async function isAnswering(url: string): Promise<boolean> {
  try {
    const answer = await fetch(`${url}/?query=SELECT+1`)
    return answer.ok && (await answer.text()) === '1\n'
  } catch {
    return false
  }
}

function toConfig(tcpPorts: readonly number[]): string {
  const shards = tcpPorts.map(
    (port) =>
      `<shard><internal_replication>true</internal_replication><replica><host>127.0.0.1</host><port>${port}</port></replica></shard>`,
  )
  const pools = Object.entries(smallPools).map(([name, value]) => `<${name}>${value}</${name}>`)
  return `<clickhouse><remote_servers><${cluster}>${shards.join('')}</${cluster}></remote_servers>${pools.join('')}</clickhouse>\n`
}
