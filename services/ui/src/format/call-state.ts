import type { CallRow, LoggedCallState } from '@sip-capture/contract/rest/call-log.ts'
import type { Look } from './status.ts'

/** How a call stands, at a glance: sign and word say it without the colour too. */
export const callStateLooks: Readonly<
  Record<LoggedCallState, { readonly look: Look; readonly sign: string; readonly word: string }>
> = {
  'setting-up': { look: 'progress', sign: '…', word: 'setting up' },
  ringing: { look: 'progress', sign: '♪', word: 'ringing' },
  'in-call': { look: 'request', sign: '●', word: 'in call' },
  completed: { look: 'success', sign: '✓', word: 'completed' },
  cancelled: { look: 'progress', sign: '⊘', word: 'cancelled' },
  busy: { look: 'challenge', sign: '■', word: 'busy' },
  rejected: { look: 'failure', sign: '✕', word: 'rejected' },
  failed: { look: 'failure', sign: '✕', word: 'failed' },
  diverted: { look: 'redirect', sign: '↷', word: 'diverted' },
}

/** It changes by itself: times of it are counted on. */
export function isRunning(call: Pick<CallRow, 'state' | 'endedAt'>): boolean {
  return (
    call.endedAt === null &&
    (call.state === 'setting-up' || call.state === 'ringing' || call.state === 'in-call')
  )
}
