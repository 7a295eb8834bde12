/** Tells that calls have other legs than before: a link came late, two calls became one, a leg ended. */
export interface LegChanges {
  /** All Call-IDs of the calls concerned. */
  emit(callIds: readonly string[]): void
  on(listener: (callIds: readonly string[]) => void): void
}

export function createLegChanges(): LegChanges {
  const listeners: ((callIds: readonly string[]) => void)[] = []
  return {
    emit(callIds) {
      if (callIds.length > 0) for (const listener of listeners) listener(callIds)
    },
    on: (listener) => void listeners.push(listener),
  }
}
