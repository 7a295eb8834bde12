import type { MatchSubject } from './message-match.ts'

/** A row on its way to browsers. Made once, shared by all subscribers. */
export interface LiveItem extends MatchSubject {
  readonly kind: 'traffic' | 'capture'
  readonly atMicros: number
  /** The row as JSON, written when the first subscriber needs it. */
  readonly json: string
}

export function createLiveItem(subject: MatchSubject, kind: LiveItem['kind'], atMicros: number): LiveItem {
  let json: string | undefined
  return {
    row: subject.row,
    numbers: subject.numbers,
    text: subject.text,
    kind,
    atMicros,
    get json() {
      return (json ??= JSON.stringify(subject.row))
    },
  }
}
