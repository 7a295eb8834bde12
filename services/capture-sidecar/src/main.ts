import { runService } from '@sip-capture/service/lifecycle.ts'
import { settings } from './config.ts'
import { startSidecar } from './sidecar.ts'

await runService({ name: 'capture-sidecar', settings, start: startSidecar })
