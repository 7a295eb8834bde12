import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensurePrograms, redisProgram, sippProgram, tsharkProgram } from '../debian-packages.ts'
import { type DemoCalls, startDemoCalls } from '../demo-calls.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { exitWithSentence, onStopSignal, runStack, type StackRun } from '../run-stack.ts'
import { checkPorts, readStartEnvironment, readStartSettings } from '../start-settings.ts'
import { startTestPbx, type TestPbx } from '../test-pbx/test-pbx.ts'

const defaultMinutes = 60

async function demo(): Promise<void> {
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: String(defaultMinutes) } } })
  const minutes = Number(values.minutes)
  if (!(minutes > 0)) throw new Error(`--minutes ${values.minutes}: a number of minutes`)
  let pbx: TestPbx | null = null
  let calls: DemoCalls | null = null
  let run: StackRun | null = null
  const stopOwn = async (): Promise<void> => {
    await calls?.stop()
    await pbx?.stop()
  }
  onStopSignal(() => {
    if (run !== null) void run.end()
    else
      void stopOwn().then(() => {
        process.exit(0)
      })
  })

  // The operator's own PBX, Redis and tokens have no part in the demo; the page's address and the log level do.
  const { UI_HOST, UI_PORT, LOG_LEVEL, DEMO_DATA_DIR } = await readStartEnvironment()
  const own = {
    UI_HOST,
    UI_PORT,
    API_PORT: String(await findFreePort()),
    DATA_DIR: DEMO_DATA_DIR ?? join('.data', 'demo'),
  }
  const settings = readStartSettings(definedOnly(own))
  await checkPorts(settings)
  await ensurePrograms([redisProgram, tsharkProgram, sippProgram])
  process.stdout.write(
    'Starting an Asterisk of our own; the first time it is built, which takes one to two minutes.\n',
  )
  pbx = await startTestPbx()
  // From here on a fault ends what was started before it is told.
  const failing = async (error: unknown): Promise<never> => {
    await stopOwn()
    await run?.stack.stop()
    throw error
  }
  run = await runStack(
    {
      env: {
        ...own,
        LOG_LEVEL: LOG_LEVEL ?? 'info',
        NODE_NAME: 'demo',
        AMI_HOST: pbx.address,
        AMI_PORT: String(pbx.amiPort),
        AMI_USERNAME: pbx.amiUsername,
        AMI_SECRET: pbx.amiSecret,
        TSHARK_ENABLED: 'true',
        TSHARK_INTERFACE: 'lo',
        // Both legs of every call have the PBX's port on one side.
        TSHARK_PORT: String(pbx.sipPort),
      },
      dataDir: settings.DATA_DIR,
      freePorts: true,
    },
    { beforeStop: async () => calls?.stop(), afterStop: async () => pbx?.stop() },
  ).catch(failing)
  await run.stack.ready().catch(failing)
  calls = await startDemoCalls(pbx, minutes * 60_000).catch(failing)
  process.stdout.write(`\nSIP Capture shows the calls of a real Asterisk: ${run.stack.pageUrl}\n`)
  process.stdout.write(`A call each 2 to 3 s for ${minutes} minutes. Ctrl-C stops everything.\n\n`)
  await calls.finished
  if (calls.wasStopped) return
  process.stdout.write(
    `\nThe demo made ${calls.made} calls and makes no more; the page stays until Ctrl-C: ${run.stack.pageUrl}\n`,
  )
}

function definedOnly(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

try {
  await demo()
} catch (error) {
  exitWithSentence(error)
}
