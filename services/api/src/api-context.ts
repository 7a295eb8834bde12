import type { Logger } from '@sip-capture/service/logger.ts'
import type { ApiConfig } from './config.ts'

/** What a process of the API is started with. `historyProgram`: the history process as a bundle, where it does not lie beside this code. */
export interface ApiContext {
  readonly config: ApiConfig
  readonly logger: Logger
  readonly historyProgram?: URL | undefined
}
