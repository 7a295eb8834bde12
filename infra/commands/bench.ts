import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { repositoryFolder } from '../repository.ts'
import { exitWithSentence } from '../run-stack.ts'

/** `npm run bench [-- NAME …]`: hands over to `bench/main.ts`, whose exit code says whether all targets were reached. */
async function bench(): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'main.ts', ...process.argv.slice(2)], {
    cwd: join(repositoryFolder, 'bench'),
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  process.exitCode = code ?? 1
}

try {
  await bench()
} catch (error) {
  exitWithSentence(error)
}
