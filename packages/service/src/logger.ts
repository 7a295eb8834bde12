import { pino, type Logger } from 'pino'

export type { Logger }

/** Never in a log line, whatever object they come with. */
const secretPaths = [
  'authorization',
  '*.authorization',
  'req.headers.authorization',
  'req.headers["sec-websocket-protocol"]',
  'secret',
  '*.secret',
  'password',
  '*.password',
  'token',
  '*.token',
  'AMI_SECRET',
  'API_TOKENS',
  'HEP_PASSWORD',
  'REDIS_URL',
  '*.REDIS_URL',
]

/** Unread log text that is held before lines are dropped, bytes. */
const maxUnreadBytes = 1 << 20

/**
 * JSON lines on stdout: pino escapes control characters, so hostile text stays on its line. Whoever reads them may stall or
 * be gone: the service goes on, lines beyond a bound are dropped, and their number is logged once there is room again.
 */
export function createLogger(options: { name: string; level: string }): Logger {
  const stdout = pino.destination({ dest: 1, sync: false, maxLength: maxUnreadBytes })
  const logger = pino(
    {
      name: options.name,
      level: options.level,
      redact: { paths: secretPaths, censor: '[hidden]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    stdout,
  )
  let dropped = 0
  stdout.on('drop', () => {
    dropped += 1
  })
  stdout.on('drain', () => {
    if (dropped === 0) return
    const lines = dropped
    dropped = 0
    logger.warn({ lines }, 'log lines were dropped: the reader of stdout was too slow')
  })
  return logger
}
