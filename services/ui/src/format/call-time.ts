const two = (value: number) => String(value).padStart(2, '0')

/** `0:04`, `12:07`, `1:02:33`: how long a call went on. */
export function clockDuration(millis: number): string {
  const seconds = Math.max(0, Math.floor(millis / 1000))
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`
}

/** `140 ms`, `3.2 s`, `1:05`: how long someone waited. */
export function waitText(millis: number): string {
  if (millis < 1000) return `${Math.round(millis)} ms`
  return millis < 60_000 ? `${(millis / 1000).toFixed(1)} s` : clockDuration(millis)
}
