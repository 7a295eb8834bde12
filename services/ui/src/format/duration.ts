const two = (value: number) => String(value).padStart(2, '0')

/** `45 s`, `2 min 05 s`, `3 h 20 min`, `4 d`: a length of time, whole seconds. */
export function lengthText(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`
  if (whole < 86_400) return `${Math.floor(whole / 3_600)} h ${two(Math.floor((whole % 3_600) / 60))} min`
  return `${Math.floor(whole / 86_400)} d`
}

/** `812 µs`, `4.2 ms`, `1.25 s`. */
export function tripText(micros: number): string {
  if (micros < 1_000) return `${micros} µs`
  return micros < 1_000_000 ? `${(micros / 1_000).toFixed(1)} ms` : `${(micros / 1_000_000).toFixed(2)} s`
}
