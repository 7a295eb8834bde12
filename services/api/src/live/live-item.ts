import type { MatchSubject } from './message-match.ts'

/** A row on its way to browsers. Made once, shared by all subscribers; what is asked of it is worked out for the first of them. */
export class LiveItem implements MatchSubject {
  readonly kind: 'traffic' | 'capture'
  readonly atMicros: number
  readonly #subject: MatchSubject
  #json: string | undefined

  constructor(subject: MatchSubject, kind: LiveItem['kind'], atMicros: number) {
    this.#subject = subject
    this.kind = kind
    this.atMicros = atMicros
  }

  get row(): MatchSubject['row'] {
    return this.#subject.row
  }

  get numbers(): MatchSubject['numbers'] {
    return this.#subject.numbers
  }

  get text(): string {
    return this.#subject.text
  }

  /** The row as JSON. */
  get json(): string {
    return (this.#json ??= JSON.stringify(this.row))
  }
}
