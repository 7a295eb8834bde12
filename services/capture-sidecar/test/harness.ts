import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { setTimeout as pause } from 'node:timers/promises'
import { sipRecord, type SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { sourceStatus, type SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { readConfig } from '@sip-capture/service/config.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { settings } from '../src/config.ts'
import { startSidecar } from '../src/sidecar.ts'

export const keys = createBusKeys()
const logger = createLogger({ name: 'test', level: process.env['LOG_LEVEL'] ?? 'silent' })
const patienceMillis = 300_000

/** Waits for a fact; gives up, loudly, only when the test would hang. */
export async function until<T>(fact: () => T | Promise<T>, what: string): Promise<NonNullable<T>> {
  const deadline = Date.now() + patienceMillis
  for (;;) {
    const value = await fact()
    if (value !== null && value !== undefined && value !== false) return value
    if (Date.now() > deadline) throw new Error(`waited in vain for: ${what}`)
    await pause(20)
  }
}

export interface Harness {
  readonly redis: Redis
  readonly port: number
  /** Settings for a sidecar that captures on loopback. */
  readonly environment: Readonly<Record<string, string>>
  records(): Promise<SipRecord[]>
  status(): Promise<SourceStatus | undefined>
  /** Waits until the heartbeat is as asked. */
  statusWhere(test: (status: SourceStatus) => boolean, what: string): Promise<SourceStatus>
  /** Starts a sidecar of the test's own; answers how to close it (else the test's end does). */
  start(env?: Readonly<Record<string, string>>): Promise<() => Promise<void>>
  /** The same as a process of its own, after these words: one that leads into a network namespace, or takes rights away. */
  startProcess(prefix: readonly string[], env?: Readonly<Record<string, string>>): SidecarProcess
}

export interface SidecarProcess {
  /** SIGTERM, and waits for the end. */
  readonly close: () => Promise<void>
}

const mainFile = fileURLToPath(new URL('../src/main.ts', import.meta.url))

/** A real Redis and a free SIP port of the test's own. */
export async function createHarness(t: Test): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), 'sip-capture-'))
  // A network namespace has a loopback of its own.
  const socket = join(folder, 'redis')
  const server = await startTestRedis(['--unixsocket', socket])
  const redis = new Redis(server.url)
  const port = await findFreePort()
  const closers: (() => Promise<void>)[] = []
  t.teardown(async () => {
    for (const close of closers) await close()
    redis.disconnect()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const environment = {
    REDIS_URL: server.url,
    NODE_NAME: 'test-node',
    TSHARK_ENABLED: 'true',
    TSHARK_INTERFACE: 'lo',
    TSHARK_PORT: String(port),
  }
  const harness: Harness = {
    redis,
    port,
    environment,
    async records() {
      const entries = await redis.xrangeBuffer(keys.capture, '-', '+')
      return entries.flatMap(([, fields]) => {
        const decoded = decodeBatch(sipRecord, fields)
        if (decoded.rejected.length > 0) throw new Error(decoded.rejected[0]?.problem)
        return decoded.items
      })
    },
    async status() {
      const [last] = await redis.xrevrangeBuffer(keys.sources, '+', '-', 'COUNT', 1)
      if (!last) return undefined
      const decoded = decodeBatch(sourceStatus, last[1])
      if (decoded.rejected.length > 0) throw new Error(decoded.rejected[0]?.problem)
      return decoded.items[0]
    },
    async statusWhere(test, what) {
      return until(async () => {
        const status = await harness.status()
        return status && test(status) ? status : null
      }, what)
    },
    async start(env = {}) {
      const config = readConfig(settings, { ...environment, ...env })
      const service = await startSidecar({ config, logger })
      let closing: Promise<void> | undefined
      const close = (): Promise<void> => (closing ??= service.close())
      closers.push(close)
      return close
    },
    startProcess(prefix, env = {}) {
      const [command, ...args] = [...prefix, process.execPath, '--import', 'tsx', mainFile]
      const child = spawn(command, args, {
        env: { ...process.env, ...environment, REDIS_URL: socket, LOG_LEVEL: 'silent', ...env },
        stdio: 'ignore',
      })
      const ended = once(child, 'exit')
      const close = async (): Promise<void> => {
        child.kill('SIGTERM')
        await ended
      }
      closers.push(close)
      return { close }
    },
  }
  return harness
}

export function sipRequest(callId: string, options: { method?: string; body?: string } = {}): Buffer {
  const { method = 'OPTIONS', body = '' } = options
  return Buffer.from(
    `${method} sip:100@192.0.2.10 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK${callId}\r\n` +
      `From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:100@192.0.2.10>\r\nCall-ID: ${callId}\r\nCSeq: 1 ${method}\r\n` +
      `Max-Forwards: 70\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
}

export const callIdOf = (record: SipRecord): string =>
  /\r\nCall-ID: ([^\r]*)/.exec(Buffer.from(record.payload).toString())?.[1] ?? ''

export interface Sender {
  readonly port: number
  send(payload: Uint8Array, port: number): Promise<void>
}

/** A UDP socket on loopback. */
export async function createSender(t: Test, address = '127.0.0.1'): Promise<Sender> {
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4')
  await new Promise<void>((resolve) => socket.bind(0, address, resolve))
  // A closed port answers with ICMP, which Linux reports to the sender.
  socket.on('error', () => {})
  t.teardown(() => socket.close())
  return {
    port: socket.address().port,
    send: (payload, port) =>
      new Promise((resolve) => {
        socket.send(payload, port, address, () => resolve())
      }),
  }
}

/** A small message, one of 60 kB and the small one over IPv6, to a port on loopback. Answers what was sent, in order. */
export async function sendSizes(t: Test, port: number): Promise<{ sender: Sender; sent: Buffer[] }> {
  const sender = await createSender(t)
  const sender6 = await createSender(t, '::1')
  const small = sipRequest('small')
  const big = sipRequest('big', { method: 'INVITE', body: 'x'.repeat(60_000) })
  await sender.send(small, port)
  await sender.send(big, port)
  await sender6.send(small, port)
  return { sender, sent: [small, big, small] }
}
