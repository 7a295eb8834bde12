import type { Store } from '../store.ts'

/** Removes a named capture for good; the messages go from sight first. @throws StoreError */
export async function removeCapture(store: Store, capture: string): Promise<void> {
  // A mutation takes no bound values: only what is surely an id goes into the statement.
  if (!/^[0-9a-f]{32}$/.test(capture)) throw new RangeError('capture: not an id')
  for (const table of ['calls', 'messages', 'callSlots', 'registers'])
    await store.define(
      store.tables.alter(table, `DELETE WHERE capture = '${capture}' SETTINGS mutations_sync = 1`),
    )
}
