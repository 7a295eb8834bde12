import type { MessagePort } from 'node:worker_threads'
import { z } from 'zod'
import type { Engine } from './engine.ts'
import { StoreError, toStoreError } from './store.ts'

/** An engine for another thread of its process: statements one way, answers the other. */

const statement = z.object({ number: z.int(), as: z.enum(['run', 'lines', 'bytes']), sql: z.string() })
type Statement = z.infer<typeof statement>

const answer = z.union([
  z.object({ number: z.int(), fault: z.string(), code: z.int().optional() }),
  z.object({ number: z.int(), result: z.union([z.string(), z.instanceof(Uint8Array), z.undefined()]) }),
])
type Answer = z.infer<typeof answer>

/** Answers what comes through the port until the port is closed. */
export function serveEngine(engine: Engine, port: MessagePort): void {
  port.on('message', (raw) => void execute(statement.parse(raw)))

  async function execute({ number, as, sql }: Statement): Promise<void> {
    try {
      const result = (await engine[as](sql)) ?? undefined
      if (!(result instanceof Uint8Array)) return reply({ number, result })
      // What the engine gave may be part of more.
      const given = new Uint8Array(result)
      reply({ number, result: given }, [given.buffer])
    } catch (error) {
      const { message, clickhouseCode } = toStoreError(error)
      reply({ number, fault: message, ...(clickhouseCode === undefined ? {} : { code: clickhouseCode }) })
    }
  }

  function reply(message: Answer, given: ArrayBuffer[] = []): void {
    port.postMessage(message, given)
  }
}

/** The engine at the other end. To close it closes the port alone. */
export function createRemoteEngine(port: MessagePort, exchange: string): Engine {
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  let number = 0
  port.on('message', (raw) => {
    const told = answer.parse(raw)
    const entry = waiting.get(told.number)
    waiting.delete(told.number)
    if ('fault' in told) entry?.reject(new StoreError(told.fault, told.code))
    else entry?.resolve(told.result)
  })
  port.on('close', () => {
    for (const entry of waiting.values()) entry.reject(new StoreError('the engine is closed', undefined))
    waiting.clear()
  })

  const ask = <T>(as: Statement['as'], sql: string): Promise<T> =>
    new Promise((resolve, reject) => {
      waiting.set(++number, { resolve: (result) => resolve(result as T), reject })
      port.postMessage({ number, as, sql } satisfies Statement)
    })
  return {
    exchange,
    run: (sql) => ask('run', sql),
    lines: (sql) => ask('lines', sql),
    bytes: (sql) => ask('bytes', sql),
    async close() {
      port.close()
    },
  }
}
