import { runService } from '@sip-capture/service/lifecycle.ts'
import { startBridge } from './bridge.ts'
import { settings } from './config.ts'

await runService({ name: 'ami-bridge', settings, start: startBridge })
