import { spawn } from 'node:child_process'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startProgress } from './progress.ts'
import { repositoryFolder } from './repository.ts'

const built = join(repositoryFolder, 'services/ui/dist/index.html')
const sources = [
  'services/ui/src',
  'services/ui/public',
  'services/ui/index.html',
  'services/ui/embed.html',
  'services/ui/vite.config.ts',
  'services/ui/package.json',
  'packages/contract/src',
  'packages/sip/src',
  'pnpm-lock.yaml',
]

/** Builds the page when it is not built or a source of it is newer. */
export async function ensureUiBuilt(): Promise<void> {
  const builtAt = await newestChange(built)
  const changes = await Promise.all(sources.map((source) => newestChange(join(repositoryFolder, source))))
  if (builtAt > Math.max(...changes)) return
  const progress = startProgress('building the page')
  try {
    await runVite()
    progress.done()
  } catch (error) {
    progress.failed('see below')
    throw error
  }
}

/** Milliseconds of the newest change in the file or folder; 0 where there is none. */
async function newestChange(path: string): Promise<number> {
  try {
    const found = await stat(path)
    if (!found.isDirectory()) return found.mtimeMs
    const names = await readdir(path)
    const inside = await Promise.all(names.map((name) => newestChange(join(path, name))))
    return Math.max(found.mtimeMs, ...inside)
  } catch {
    return 0
  }
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
