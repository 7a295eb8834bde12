import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'

type Severity = NonNullable<CallRow['verdict']>['severity']

export const severitySigns: Readonly<Record<Severity, { readonly sign: string; readonly word: string }>> = {
  ok: { sign: '✓', word: 'Good' },
  info: { sign: 'i', word: 'Note' },
  warning: { sign: '!', word: 'Warning' },
  error: { sign: '✕', word: 'Problem' },
}
