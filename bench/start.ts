import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { repositoryFolder } from '@sip-capture/infra/repository.ts'
import { ensurePageBuilt } from '@sip-capture/infra/build/page.ts'
import { median } from './figures.ts'
import type { RunRow } from './row.ts'

/** `npm start` with all installed and the page built, until it says that it is ready. */
export const run: RunRow = async ({ pick, folder, say }) => {
  await ensurePageBuilt()
  const seconds: number[] = []
  // The first start fills the caches, as on every later start of the day.
  for (let n = 0; n <= pick(1, 5, 5); n++) {
    const took = await start(join(folder, String(n)))
    say(`${took.toFixed(2)} s`)
    if (n > 0) seconds.push(took)
  }
  return [{ name: 'start: npm start until ready', value: median(seconds), unit: 's', atMost: 5 }]
}

async function start(dataDir: string): Promise<number> {
  const startedAt = performance.now()
  const child = spawn('npm', ['start', '--silent'], {
    cwd: repositoryFolder,
    stdio: ['ignore', 'pipe', 2],
    detached: true,
    env: {
      ...process.env,
      DATA_DIR: dataDir,
      UI_PORT: String(await findFreePort()),
      API_PORT: String(await findFreePort()),
      HEP_LISTEN: `127.0.0.1:${await findFreePort()}`,
      TSHARK_ENABLED: 'false',
      LOG_LEVEL: 'warn',
    },
  })
  const seconds = await new Promise<number>((resolve, reject) => {
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('is ready')) resolve((performance.now() - startedAt) / 1_000)
    })
    child.once('exit', () => reject(new Error('npm start ended before it was ready')))
  })
  // npm passes no signal on to the command it runs: the whole group is told.
  const ended = once(child, 'exit')
  if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
  await ended
  return seconds
}
