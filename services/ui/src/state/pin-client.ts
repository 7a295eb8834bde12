import { z } from 'zod'
import { type ApiResult, sendJson } from './api-client.ts'
import { callPath } from './open-call.ts'

interface CallName {
  readonly callId: string
  /** Id of the import it is in. */
  readonly capture: string | null
}

export const pinPath = (call: CallName): string => callPath(call, '/pin')

/** Keeps a call beyond retention. */
export const pinCall = (call: CallName): Promise<ApiResult<unknown>> =>
  sendJson('PUT', pinPath(call), undefined, z.unknown())
