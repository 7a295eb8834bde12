import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { repositoryFolder } from '../repository.ts'
import { ensureBuilt } from './ensure-built.ts'

/** The page that the browser gets: Vite's. */
export async function ensurePageBuilt(): Promise<void> {
  await ensureBuilt({
    what: 'the page',
    built: ['services/ui/dist/index.html'],
    sources: [
      'services/ui/src',
      'services/ui/public',
      'services/ui/index.html',
      'services/ui/embed.html',
      'services/ui/vite.config.ts',
      'services/ui/package.json',
      'packages/contract/src',
      'packages/sip/src',
      'pnpm-lock.yaml',
    ],
    make: runVite,
  })
}

function runVite(): Promise<void> {
  const folder = join(repositoryFolder, 'services/ui')
  return new Promise((resolve, reject) => {
    const child = spawn(join(folder, 'node_modules/.bin/vite'), ['build'], {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    const onText = (text: string): void => {
      said = (said + text).slice(-4000)
    }
    child.stdout.setEncoding('utf8').on('data', onText)
    child.stderr.setEncoding('utf8').on('data', onText)
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve()
      else reject(new Error(`the page could not be built (vite ended with ${code}):\n${said}`))
    })
  })
}
