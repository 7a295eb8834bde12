import { basename } from 'node:path'
import {
  type NeededProgram,
  ensurePrograms,
  redisProgram,
  tcpdumpProgram,
  tsharkProgram,
} from '../debian-packages.ts'
import { exitWithSentence, onStopSignal, runStack, type StackRun } from '../run-stack.ts'
import { checkPorts, readStartEnvironment, readStartSettings } from '../start-settings.ts'

async function start(): Promise<void> {
  let run: StackRun | null = null
  onStopSignal(() => {
    if (run === null) process.exit(0)
    void run.end()
  })
  const env = await readStartEnvironment()
  const settings = readStartSettings(env)
  const needed: NeededProgram[] = settings.REDIS_URL === undefined ? [redisProgram] : []
  if (settings.TSHARK_ENABLED)
    needed.push(basename(settings.TSHARK_COMMAND) === 'tcpdump' ? tcpdumpProgram : tsharkProgram)
  await ensurePrograms(needed)
  await checkPorts(settings)
  run = await runStack({ env, dataDir: settings.DATA_DIR })
  const { stack } = run
  try {
    await stack.ready()
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    // The services are kept trying: what is missing may come.
    return
  }
  process.stdout.write(`\nSIP Capture is ready: ${stack.pageUrl}\n`)
  if (env['AMI_HOST'] === undefined && !settings.TSHARK_ENABLED)
    process.stdout.write(
      'It listens to nothing yet: set AMI_HOST, AMI_USERNAME and AMI_SECRET (and TSHARK_ENABLED=true) in .env\n',
    )
  process.stdout.write('Ctrl-C stops everything.\n\n')
}

try {
  await start()
} catch (error) {
  exitWithSentence(error)
}
