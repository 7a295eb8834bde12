import type { Logger } from '@sip-capture/service/logger.ts'
import { Queue, WaitingError, Worker, type ConnectionOptions, type Job } from 'bullmq'
import type { ApiConfig } from '../config.ts'
import { ApiError } from '../errors.ts'

export interface JobQueue {
  readonly queue: Queue
  /** Puts a record's id on the queue, with what else the job needs; once, however often it is called. @throws ApiError 503 */
  add(name: string, id: string, data?: Record<string, unknown>): Promise<void>
  /** Takes it off again if no worker has it. */
  discard(id: string): Promise<void>
  close(): Promise<void>
}

/** A worker that died is noticed after its lock; both are short, jobs only ever wait. */
const lockMillis = 15_000
const stalledMillis = 5_000
/** A job that was being done when the process died, this often, is given up. */
const maxStalls = 10
const maxAttempts = 8
const firstBackoffMillis = 2_000
const answerMillis = 5_000
/** Together well below what a stop may take: history has to end after it. */
const closeMillis = 1_500
const disconnectMillis = 500

type QueueConfig = Pick<ApiConfig, 'REDIS_URL' | 'BUS_PREFIX'>

const toPrefix = ({ BUS_PREFIX }: QueueConfig): string => `${BUS_PREFIX}jobs`

/** Without Redis a worker does not close: it ends with the last try to connect. */
function toConnection({ REDIS_URL }: QueueConfig, isClosing: () => boolean) {
  const retryStrategy = (times: number) =>
    isClosing() ? null : Math.min(100 * 2 ** Math.min(times, 6), 2_000)
  return { url: REDIS_URL, connectTimeout: 5_000, retryStrategy }
}

/** To put jobs on a queue: refused while Redis is away, not held back for it. */
export function openQueue(options: {
  name: string
  config: QueueConfig
  logger: Logger
  isClosing?: () => boolean
}): Queue {
  const { name, config, logger, isClosing = () => false } = options
  const connection: ConnectionOptions = {
    ...toConnection(config, isClosing),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
  }
  const queue = new Queue(name, { connection, prefix: toPrefix(config), skipVersionCheck: true })
  // That Redis is away is told by the connection of the service; one voice is enough.
  queue.on('error', (error) =>
    logger.debug({ queue: name, reason: error.message }, 'the job queue has a fault'),
  )
  return queue
}

/**
 * A queue and, unless this process only serves pages, its worker: the work itself is in the history process, so nothing here
 * takes long. `onGivenUp`: a job was tried as often as it may.
 */
export function createJobQueue(options: {
  name: string
  config: ApiConfig
  logger: Logger
  concurrency: number
  /** Pauses of 2, 4, 8 … s between them. */
  attempts?: number
  run: (job: Job) => Promise<void>
  onGivenUp: (job: Job, reason: string) => Promise<void>
}): JobQueue {
  const { name, config, logger, concurrency, attempts = maxAttempts, run, onGivenUp } = options
  const prefix = toPrefix(config)
  let isClosing = false
  const queue = openQueue({ name, config, logger, isClosing: () => isClosing })
  const forWorker: ConnectionOptions = {
    ...toConnection(config, () => isClosing),
    maxRetriesPerRequest: null,
  }
  const runUnlessClosing = async (job: Job, token?: string): Promise<void> => {
    try {
      await run(job)
    } catch (error) {
      if (!isClosing) throw error
      // First in line again and without a lock: the next start takes it up at once.
      await job.moveToWait(token)
      throw new WaitingError()
    }
  }
  const worker =
    config.API_ROLE === 'api'
      ? undefined
      : new Worker(name, runUnlessClosing, {
          connection: forWorker,
          prefix,
          concurrency,
          lockDuration: lockMillis,
          stalledInterval: stalledMillis,
          maxStalledCount: maxStalls,
          removeOnComplete: { count: 0 },
          removeOnFail: { count: 0 },
          skipVersionCheck: true,
        })
  worker?.on('error', (error) =>
    logger.debug({ queue: name, reason: error.message }, 'the job worker has a fault'),
  )
  worker?.on('failed', (job, error) => {
    if (!job) return
    const isLast = job.attemptsMade >= (job.opts.attempts ?? 1) || /stalled/.test(error.message)
    logger.warn(
      { queue: name, jobId: job.id, attempt: job.attemptsMade, reason: error.message, isLast },
      'a job failed',
    )
    if (isLast) void onGivenUp(job, error.message).catch(() => {})
  })

  return {
    queue,
    async add(jobName, id, data = {}) {
      await answered(
        queue.add(
          jobName,
          { ...data, id },
          {
            jobId: id,
            attempts,
            backoff: { type: 'exponential', delay: firstBackoffMillis },
            removeOnComplete: true,
            removeOnFail: true,
          },
        ),
      )
    },
    async discard(id) {
      // A worker that has it holds a lock and the removal fails; it looks at the record itself.
      await queue.remove(id).catch(() => 0)
    },
    async close() {
      isClosing = true
      // A job in hand puts itself back. It cannot without Redis or in the middle of a long step: then its lock runs out.
      if (await isInTime(worker?.close() ?? Promise.resolve(), closeMillis))
        await isInTime(queue.close(), disconnectMillis)
      else await isInTime(Promise.all([worker?.disconnect(), queue.disconnect()]), disconnectMillis)
    },
  }
}

async function isInTime(work: Promise<unknown>, millis: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, millis, false)
  })
  const done = work.then(
    () => true,
    () => true,
  )
  const inTime = await Promise.race([done, late])
  clearTimeout(timer)
  return inTime
}

/** The answer of the queue, or 503 when there is none in time. */
export async function answered<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(queueUnavailable()), answerMillis)
  })
  try {
    return await Promise.race([work, late])
  } catch (error) {
    throw error instanceof ApiError || !isConnectionFault(error) ? error : queueUnavailable()
  } finally {
    clearTimeout(timer)
  }
}

export function queueUnavailable(): ApiError {
  return new ApiError(
    503,
    'jobs-unavailable',
    'jobs cannot be seen or given now: Redis (REDIS_URL) does not answer',
  )
}

function isConnectionFault(error: unknown): boolean {
  return (
    error instanceof Error &&
    /stream isn't writeable|connection is closed|max retries|ECONN|ETIMEDOUT|timed out|socket|offline queue/i.test(
      `${error.message} ${'code' in error ? String(error.code) : ''}`,
    )
  )
}
