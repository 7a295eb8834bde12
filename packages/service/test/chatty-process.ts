import { createLogger } from '@sip-capture/service/logger.ts'

/** Logs as many long lines as its argument says, then ends or waits for its stdin to end. */
const [count = '0', mode] = process.argv.slice(2)
const logger = createLogger({ name: 'chatty', level: 'info' })
for (let at = 0; at < Number(count); at++) logger.info({ at, text: 'x'.repeat(500) }, 'a line')
if (mode === 'exit') process.exit(0)
process.stderr.write('all logged\n')
process.stdin.resume()
process.stdin.once('end', () => process.exit(0))
