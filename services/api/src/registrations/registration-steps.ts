import type { RegistrationStep } from '@sip-capture/contract/rest/registration.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import type { AorTimeline } from './aor-history.ts'

/** Everything that happened to an AOR in one row of time, oldest first. */
export function toSteps({ messages, changes, events }: AorTimeline): RegistrationStep[] {
  const steps: { atMicros: number; step: RegistrationStep }[] = []
  const withCredentials = new Set(
    messages.filter(({ hasCredentials }) => hasCredentials).map(({ callId, cseq }) => `${callId} ${cseq}`),
  )
  let orderMicros = 0
  for (const message of messages) {
    const { atMicros, id, callId, direction, reason, client, server, userAgent } = message
    const { cseq, isStale, isResent, sources, contacts, status } = message
    // They stand in the order of cause, which stamps of different precision may contradict.
    orderMicros = Math.max(orderMicros, atMicros)
    const lifetimes = contacts.flatMap(({ lifetimeSeconds }) => lifetimeSeconds ?? [])
    steps.push({
      atMicros: orderMicros,
      step: {
        kind: 'message',
        at: toRfc3339(atMicros),
        id,
        callId,
        direction,
        status: status === 0 ? null : status,
        reason,
        client,
        server,
        expiresSeconds: lifetimes.length === 0 ? null : Math.max(...lifetimes),
        contacts: contacts.map(({ uri }) => uri),
        userAgent,
        hasCredentials: withCredentials.has(`${callId} ${cseq}`),
        isStale,
        isResent,
        sources: [...sources],
      },
    })
  }
  for (const { atMicros, change, from, to } of changes)
    steps.push({ atMicros, step: { kind: 'change', at: toRfc3339(atMicros), change, from, to } })
  for (const event of events)
    steps.push({
      atMicros: event.atMicros,
      step: { kind: 'asterisk', at: toRfc3339(event.atMicros), event },
    })
  // A stable sort: what a message changes stands behind it.
  return steps.toSorted((a, b) => a.atMicros - b.atMicros).map(({ step }) => step)
}
