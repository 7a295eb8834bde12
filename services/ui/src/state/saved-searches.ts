import { signal } from '@preact/signals'
import { z } from 'zod'
import { shownText } from '../format/shown-text.ts'
import { notify } from './notices.ts'

/** A search with a name: a place in the page, kept in this browser. */
export interface SavedSearch {
  readonly name: string
  /** Path and query, never of another host. */
  readonly url: string
}

const storageKey = 'sip-capture-searches'
export const maxSaved = 100
/** Parameters that say what is open, not what is searched. */
const openParams = ['callId', 'message', 'call', 'at']

const stored = z
  .array(
    z.object({
      name: z.string().min(1).max(100),
      url: z
        .string()
        .regex(/^\/[a-z]+(\?|$)/)
        .max(8_000),
    }),
  )
  .max(maxSaved)

function readStored(): readonly SavedSearch[] {
  try {
    return stored.catch([]).parse(JSON.parse(window.localStorage.getItem(storageKey) ?? '[]'))
  } catch {
    return []
  }
}

export const savedSearches = signal<readonly SavedSearch[]>(readStored())

function keep(next: readonly SavedSearch[]): void {
  savedSearches.value = next
  try {
    window.localStorage.setItem(storageKey, JSON.stringify(next))
  } catch {
    notify({
      level: 'error',
      text: 'This browser keeps nothing for the page: the list is lost when it is closed.',
    })
  }
}

/** The search of an address, without the call that is open. */
export function searchUrl(path: string, params: URLSearchParams): string {
  const kept = new URLSearchParams(params)
  for (const name of openParams) kept.delete(name)
  return kept.size === 0 ? path : `${path}?${kept}`
}

/** Keeps it, in place of one of the same name. Answers why not, or null. */
export function saveSearch(search: SavedSearch): string | null {
  const others = savedSearches.peek().filter(({ name }) => name !== search.name)
  const next = [...others, search].sort((a, b) => a.name.localeCompare(b.name))
  if (!stored.safeParse(next).success)
    return others.length >= maxSaved
      ? `There are ${maxSaved} already: delete one first.`
      : 'This search is too long to be kept.'
  keep(next)
  return null
}

/** Takes it off the list; a notice brings it back. */
export function deleteSearch(search: SavedSearch): void {
  keep(savedSearches.peek().filter((one) => one !== search))
  notify({
    level: 'info',
    text: `Search “${shownText(search.name)}” deleted.`,
    action: { label: 'Undo', run: () => void saveSearch(search) },
  })
}
