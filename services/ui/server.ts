import { runService } from '@sip-capture/service/lifecycle.ts'
import { settings } from './server/config.ts'
import { startPageServer } from './server/page-server.ts'

await runService({ name: 'ui', settings, start: startPageServer })
