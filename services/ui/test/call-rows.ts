import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'

/** A row of the call log: an answered call of a minute ago, but for what is said. */
export function aCallRow(more: Partial<CallRow>): CallRow {
  const startMicros = (Date.now() - 60_000) * 1000
  return {
    id: '0'.repeat(32),
    capture: null,
    node: 'pbx1',
    linkedid: null,
    callIds: ['call@host'],
    startedAt: toRfc3339(startMicros),
    answeredAt: toRfc3339(startMicros + 2_000_000),
    endedAt: toRfc3339(startMicros + 30_000_000),
    from: { number: '1001', name: '' },
    to: { number: '2001', name: '' },
    trunks: [],
    endpoints: [],
    state: 'completed',
    code: 200,
    reason: 'OK',
    cause: 16,
    causeText: 'Normal Clearing',
    techCause: '',
    pddMillis: 100,
    ringMillis: 1900,
    talkMillis: 28_000,
    durationMillis: 30_000,
    legs: 1,
    messages: 7,
    verdict: null,
    ruleIds: [],
    ...more,
  }
}
