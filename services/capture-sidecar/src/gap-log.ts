import type { SourceGap } from '@sip-capture/contract/bus/source-status.ts'

const maxGaps = 32
const maxReasonLength = 2000

/** The last stretches of time in which packets may be missing, and why. */
export class GapLog {
  readonly #gaps: SourceGap[] = []
  #open: { readonly fromMicros: number; readonly reason: string } | null = null
  /** The packets that the last gap tells of, while it may still grow. */
  #lost: { readonly gap: SourceGap; readonly packets: number } | null = null

  /** One that is still open ends now. */
  list(nowMicros: number): SourceGap[] {
    if (!this.#open) return [...this.#gaps]
    return [...this.#gaps, toGap(this.#open.fromMicros, nowMicros, this.#open.reason)].slice(-maxGaps)
  }

  /** Nothing is seen since then, until `close`; the first reason stays. */
  open(fromMicros: number, reason: string): void {
    this.#open ??= { fromMicros, reason }
  }

  /** Answers the reason, if one was open. */
  close(toMicros: number): string | null {
    const gap = this.#open
    if (!gap) return null
    this.#open = null
    this.#add(toGap(gap.fromMicros, toMicros, gap.reason))
    return gap.reason
  }

  /** Single packets were lost in between. What goes on from the last such gap makes that one longer. */
  lose(
    packets: number,
    { fromMicros, toMicros }: Pick<SourceGap, 'fromMicros' | 'toMicros'>,
    toReason: (packets: number) => string,
  ): void {
    const last = this.#lost
    const isSame = last !== null && last.gap === this.#gaps.at(-1) && last.gap.toMicros >= fromMicros
    if (isSame) this.#gaps.pop()
    const all = packets + (isSame ? last.packets : 0)
    const gap = toGap(isSame ? last.gap.fromMicros : fromMicros, toMicros, toReason(all))
    this.#add(gap)
    this.#lost = { gap, packets: all }
  }

  #add(gap: SourceGap): void {
    this.#gaps.push(gap)
    if (this.#gaps.length > maxGaps) this.#gaps.shift()
  }
}

function toGap(fromMicros: number, toMicros: number, reason: string): SourceGap {
  return { fromMicros, toMicros: Math.max(fromMicros, toMicros), reason: reason.slice(0, maxReasonLength) }
}
