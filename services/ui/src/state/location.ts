import { signal } from '@preact/signals'

/** The address bar as state: filter and open call live in it, so a link, a reload and the back button mean the same. */
export interface PageLocation {
  readonly path: string
  readonly params: URLSearchParams
}

function readLocation(): PageLocation {
  return { path: window.location.pathname, params: new URLSearchParams(window.location.search) }
}

export const pageLocation = signal<PageLocation>(readLocation())

export function navigate(path: string, params: URLSearchParams, how: 'push' | 'replace' = 'push'): void {
  const query = params.toString()
  const url = query === '' ? path : `${path}?${query}`
  if (how === 'push') window.history.pushState(null, '', url)
  else window.history.replaceState(null, '', url)
  pageLocation.value = readLocation()
}

function update(): void {
  pageLocation.value = readLocation()
}

/** Follows the back button. Answers what ends it. */
export function watchLocation(): () => void {
  window.addEventListener('popstate', update)
  update()
  return () => window.removeEventListener('popstate', update)
}
