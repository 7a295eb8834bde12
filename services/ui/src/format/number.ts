const whole = new Intl.NumberFormat('en')

/** `12,345`. */
export function countText(count: number): string {
  return whole.format(count)
}

/** `1 row`, `312 rows`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`
}

/** `812 B`, `4.1 kB`, `12 MB`. */
export function sizeText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`
  if (bytes < 1_000_000) return `${(bytes / 1000).toFixed(1)} kB`
  return `${(bytes / 1_000_000).toFixed(1)} MB`
}
