import { MessageChannel, Worker } from 'node:worker_threads'
import type { Engine } from './engine.ts'
import { serveEngine } from './engine-port.ts'
import type { FileRequest, FromWorker, ToWriter, WorkerConfig, WriterData } from './requests.ts'

/** Where this is a bundle, the thread's program lies beside it as one. */
const program = import.meta.url.endsWith('.js')
  ? new URL('writer.js', import.meta.url)
  : withLoader(new URL('writer.ts', import.meta.url))

export interface WriterThread {
  ask(number: number, request: FileRequest): void
  /** Finishes what is in hand. */
  stop(): Promise<void>
}

/** Runs `writer.ts` beside this thread. `engine`: the embedded one, which only the thread that opened it can use. */
export function startWriterThread(options: {
  config: WorkerConfig
  engine: Engine | undefined
  onMessage: (message: FromWorker) => void
  /** It ended, and was not told to. */
  onDeath: (error: unknown) => void
}): WriterThread {
  const { config, engine, onMessage, onDeath } = options
  const { port1: ours, port2: theirs } = new MessageChannel()
  if (engine) serveEngine(engine, ours)
  const data: WriterData = { config, engine: engine && { port: theirs, exchange: engine.exchange } }
  const thread = new Worker(program, { workerData: data, transferList: engine ? [theirs] : [] })
  const ended = new Promise<void>((resolve) => thread.once('exit', () => resolve()))
  let isStopping = false
  thread.on('message', onMessage)
  thread.on('error', onDeath)
  thread.on('exit', (code) => {
    if (!isStopping) onDeath(new Error(`it ended with ${code}`))
  })
  const post = (message: ToWriter) => thread.postMessage(message, [])
  return {
    ask: (number, request) => post({ type: 'request', number, request }),
    async stop() {
      isStopping = true
      post({ type: 'stop' })
      await ended
      ours.close()
    },
  }
}

/** A thread does not have the loader of its process. */
function withLoader(source: URL): URL {
  const lines = [
    `import { register } from ${JSON.stringify(import.meta.resolve('tsx/esm/api'))}`,
    'register()',
    `await import(${JSON.stringify(source.href)})`,
  ]
  return new URL(`data:text/javascript,${encodeURIComponent(lines.join('\n'))}`)
}
