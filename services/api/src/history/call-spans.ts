/** From a moment on, and before another; epoch microseconds. */
export interface TimeSpan {
  readonly fromMicros: number
  readonly untilMicros: number
}

/** Cuts the times of messages, which are in order, into spans of about so many messages: `first` in the first, `others` in
 *  each other. Messages of one moment are in one span, so each message is in exactly one. */
export function toSpans(
  times: readonly number[],
  { first, others }: { first: number; others: number },
): TimeSpan[] {
  const spans: TimeSpan[] = []
  for (let begin = 0; begin < times.length;) {
    let end = Math.min(begin + (begin === 0 ? first : others), times.length)
    while (end < times.length && times[end] === times[end - 1]) end += 1
    const [fromMicros, lastMicros] = [times[begin], times[end - 1]]
    if (fromMicros !== undefined && lastMicros !== undefined)
      spans.push({ fromMicros, untilMicros: lastMicros + 1 })
    begin = end
  }
  return spans
}
