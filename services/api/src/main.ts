import { runService } from '@sip-capture/service/lifecycle.ts'
import { apiSettings } from './config.ts'
import { startApi } from './service.ts'

await runService({ name: 'api', settings: apiSettings, start: startApi })
