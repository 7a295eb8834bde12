import { SessionLost } from './files/file-sessions.ts'
import type { FromWorker } from './requests.ts'
import { isTooSlow, StoreError } from './store.ts'

/** What a request comes to, as it is told: never throws. */
export async function toAnswer(number: number, work: Promise<unknown>): Promise<FromWorker> {
  try {
    return { type: 'answer', number, result: await work }
  } catch (error) {
    const code = isTooSlow(error)
      ? 'too-slow'
      : error instanceof StoreError || error instanceof SessionLost
        ? 'unavailable'
        : 'fault'
    return { type: 'failure', number, code, message: reasonOf(error) }
  }
}

export function reasonOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500)
}
