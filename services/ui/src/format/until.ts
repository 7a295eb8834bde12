/** `in 5 min`, `in 23 h`, `now`: how long until a time. Epoch microseconds. */
export function inText(atMicros: number, nowMicros: number): string {
  const seconds = Math.round((atMicros - nowMicros) / 1_000_000)
  if (seconds <= 0) return 'now'
  if (seconds < 90) return `in ${seconds} s`
  if (seconds < 5400) return `in ${Math.round(seconds / 60)} min`
  if (seconds < 172_800) return `in ${Math.round(seconds / 3600)} h`
  return `in ${Math.round(seconds / 86_400)} d`
}
