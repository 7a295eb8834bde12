/** The value below which `share` (0..1) of the values lie; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

export const median = (values: readonly number[]): number => percentile(values, 0.5)

export interface Figure {
  readonly name: string
  /** NaN where it could not be measured; `note` says why. */
  readonly value: number
  readonly unit: string
  /** What it must reach; `atMost` or `atLeast`. */
  readonly atMost?: number
  readonly atLeast?: number
  readonly note?: string
}

/** A figure without a target is reached; one that was not measured is neither. */
export function isReached({ value, atMost, atLeast }: Figure): boolean | undefined {
  if (atMost === undefined && atLeast === undefined) return true
  if (Number.isNaN(value)) return undefined
  return value <= (atMost ?? Infinity) && value >= (atLeast ?? -Infinity)
}

/** How many times better than the target: 1 and more is reached. */
export function ratioToTarget({ value, atMost, atLeast }: Figure): number | undefined {
  if (Number.isNaN(value)) return undefined
  if (atLeast !== undefined) return atLeast === 0 ? undefined : value / atLeast
  return atMost === undefined || value === 0 ? undefined : atMost / value
}

/** A table for people: figure, target, how many times the target, whether it is reached. */
export function toTable(figures: readonly Figure[]): string {
  const rows = [
    ['', 'figure', 'target', '× target', ''],
    ...figures.map((figure) => [
      figure.name,
      Number.isNaN(figure.value) ? '–' : `${formatNumber(figure.value)} ${figure.unit}`,
      toTarget(figure),
      formatRatio(figure),
      [toVerdict(figure), figure.note ?? ''].filter(Boolean).join('  '),
    ]),
  ]
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  '))
    .map((line) => `${line.trimEnd()}\n`)
    .join('')
}

function toVerdict(figure: Figure): string {
  if (figure.atMost === undefined && figure.atLeast === undefined) return ''
  const reached = isReached(figure)
  return reached === undefined ? 'not measured' : reached ? 'yes' : 'NO'
}

function formatRatio(figure: Figure): string {
  const ratio = ratioToTarget(figure)
  return ratio === undefined ? '' : formatNumber(ratio)
}

function toTarget({ atMost, atLeast, unit }: Figure): string {
  if (atMost !== undefined) return `≤ ${formatNumber(atMost)} ${unit}`
  return atLeast === undefined ? '' : `≥ ${formatNumber(atLeast)} ${unit}`
}

function formatNumber(value: number): string {
  return value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 2 : value < 100 ? 1 : 0 })
}
