import { isWaiting, legState } from '../call-state.ts'
import type { VerdictRule } from '../finding.ts'
import { wasAnswered } from '../leg-order.ts'
import { silenceOf, transactionTimeoutMicros, type Leg } from '../leg.ts'
import { calledNumber, duration, evidenceOf, hostName } from '../wording.ts'

/** When the last of the other legs ended by BYE; null when one goes on or waits, or when a transfer may have put another in
 *  its place that is not among them: then this one may well go on. */
function othersEndedAt(leg: Leg, legs: readonly Leg[], nowMicros: number): number | null {
  const others = legs.filter((one) => one !== leg)
  if (others.some((one) => isWaiting(legState(one, nowMicros)) || isOpen(one))) return null
  const asked = legs.flatMap((one) => one.of('REFER').map(({ startedAtMicros }) => startedAtMicros))
  const isKnown = (askedAt: number) => others.some(({ first }) => first.message.atMicros > askedAt)
  if (!asked.every(isKnown)) return null
  const ended = others.flatMap(({ dialogs }) => dialogs.flatMap(({ bye }) => bye?.startedAtMicros ?? []))
  return ended.length === 0 ? null : Math.max(...ended)
}

function isOpen({ dialogs }: Leg): boolean {
  return dialogs.some(({ state }) => state === 'confirmed')
}

/** A call of three or more that were answered may go on without one of them. */
function isOneOfMany(legs: readonly Leg[]): boolean {
  return legs.filter(wasAnswered).length > 2
}

/** No BYE, though the session timer ran out or the other leg is over. */
export const callLeftOver: VerdictRule = {
  id: 'D06-call-left-over',
  title: 'The BYE was lost: one side is still in the call',
  meaning:
    'One side still believes in the call: its session timer ran out or the other leg has ended, and no BYE was seen.',
  kind: 'outcome',
  checks: [
    'gaps in the capture at that time (the sources page)',
    'does Asterisk still have the channel? "core show channels"',
    'pjsip.conf, type=endpoint: timers, rtp_timeout against calls that never end',
  ],
  rfc: ['RFC 3261 15', 'RFC 4028 10'],
  options: [
    { option: 'timers', object: 'endpoint' },
    { option: 'rtp_timeout', object: 'endpoint' },
  ],
  signs: ['answered'],
  explain(leg, context) {
    const silence = silenceOf(leg, context.nowMicros)
    const common = {
      severity: 'warning',
      side: 'network',
      confidence: 'medium',
    } as const
    if (silence !== null && silence.intervalSeconds !== null) {
      return {
        ...common,
        title: 'The end of the call was not seen',
        sentence:
          `No BYE was seen, and the session timer of ${silence.intervalSeconds} s was not refreshed: silent for ` +
          `${duration(context.nowMicros - silence.sinceMicros)}, so ${isOneOfMany(context.legs) ? 'this leg' : 'the call'} is over, and its BYE was lost or not captured.`,
        evidence: evidenceOf(leg.attempt?.request, leg.attempt?.final, leg.last),
        atMicros: silence.sinceMicros,
        absentSinceMicros: silence.sinceMicros,
      }
    }
    if (!isOpen(leg) || leg.isImported || leg.dialogs.some(({ bye }) => bye !== null)) return null
    const endedAt = othersEndedAt(leg, context.legs, context.nowMicros)
    if (endedAt === null || context.nowMicros - endedAt < transactionTimeoutMicros) return null
    // It went on talking by itself: another leg may have joined that is not part of what we were given.
    if (leg.last.message.atMicros > endedAt + transactionTimeoutMicros) return null
    const { src, direction } = leg.last.message
    return {
      ...common,
      sentence:
        `The other leg of the call${leg.attempt ? ` to ${calledNumber(leg.attempt)}` : ''} ended ${duration(context.nowMicros - endedAt)} ago, and on this one ` +
        `no BYE was seen; the last message came from ${hostName(src, direction === 'out')}.`,
      evidence: evidenceOf(leg.attempt?.request, leg.attempt?.final, leg.last),
      atMicros: endedAt,
      absentSinceMicros: endedAt,
    }
  },
}
