import type { CallAnalysis, ReadCall } from '@sip-capture/sip/call.ts'

const second = 1_000_000

/**
 * Times after the last message at which something may be said that was not said before: a repeated answer without ACK,
 * a transaction's end after 32 s (RFC 3261 timers B, F, H), Timer C of proxies, ringing and calls that nobody ends.
 * One second more each, so that the rule's own bound has passed.
 */
const patienceSeconds = [5, 33, 66, 181, 300, 930, 1_835, 3_601, 7_233, 43_201]

/** When time alone changes what `analysis` (of `call`, at `nowMicros`) says; null when it never does. The rules are
 *  tried at later times, so that nothing here repeats what they know. */
export function nextLook(call: ReadCall, analysis: CallAnalysis, nowMicros: number): number | null {
  const last = call.sightings.at(-1)?.message.atMicros ?? 0
  const said = fingerprint(analysis)
  const differsAt = (micros: number) => fingerprint(call.analyse({ nowMicros: micros })) !== said
  const longest = last + (patienceSeconds.at(-1) ?? 0) * second
  const horizon = Math.max(longest, nowMicros) + 24 * 3600 * second
  if (!differsAt(horizon)) return null
  for (const micros of [...patienceSeconds.map((seconds) => last + seconds * second), ...sessionEnds(call)]
    .filter((micros) => micros > nowMicros)
    .toSorted((a, b) => a - b))
    if (differsAt(micros)) return micros
  return horizon
}

/** A minute behind the end of each session timer (RFC 4028 10). */
function sessionEnds({ legs }: ReadCall): number[] {
  return legs
    .flatMap(({ dialogs }) => dialogs)
    .flatMap(({ sessionIntervalSeconds, refreshedAtMicros }) =>
      sessionIntervalSeconds === null || refreshedAtMicros === null
        ? []
        : [refreshedAtMicros + (sessionIntervalSeconds + 33) * second],
    )
}

/** Sentences may hold the time that has passed; what is said does not change with it. */
function fingerprint({ state, findings }: CallAnalysis): string {
  return [state, ...findings.map(({ ruleId, severity, title }) => `${ruleId} ${severity} ${title}`)].join(
    '\n',
  )
}
