/** Longer texts are not kept: they seldom come again, and a table of them would have no bound in bytes. */
const maxTextLength = 512

/**
 * What was worked out for a text, kept for the next time: the lines of a dialog come again in each of its messages. Only for
 * what depends on the text alone. Bounded: it is emptied when it is full.
 */
export class Memo {
  readonly #values = new Map<string, string>()
  readonly #maxEntries: number

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  get(text: string, make: (text: string) => string): string {
    const known = this.#values.get(text)
    if (known !== undefined) return known
    const made = make(text)
    if (text.length > maxTextLength) return made
    if (this.#values.size >= this.#maxEntries) this.#values.clear()
    this.#values.set(text, made)
    return made
  }
}
