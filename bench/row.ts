import type { Figure } from './figures.ts'

/** How much is done: `quick` fits the rows that are not long into two minutes, `full` is what the targets speak of. */
export const sizes = ['quick', 'usual', 'full'] as const
export type Size = (typeof sizes)[number]

export interface RowContext {
  readonly size: Size
  /** One of three values by the size. */
  readonly pick: <T>(quick: T, usual: T, full: T) => T
  /** Removed when the row ends. */
  readonly folder: string
  /** What is worth to be seen while it runs. */
  readonly say: (line: string) => void
}

/** One line of the benchmark's table, or a few that one run gives. Runs in a process of its own. */
export type RunRow = (context: RowContext) => Promise<Figure[]>
