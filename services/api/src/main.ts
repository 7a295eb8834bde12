import { runService } from '@sip-capture/service/lifecycle.ts'
import { apiSettings } from './config.ts'
import { startApi } from './service.ts'

/** `--role=worker` as a setting: easier to see in a list of processes. */
const role = process.argv.find((word) => word.startsWith('--role='))
if (role !== undefined) process.env['API_ROLE'] = role.slice('--role='.length)

await runService({ name: 'api', settings: apiSettings, start: startApi })
