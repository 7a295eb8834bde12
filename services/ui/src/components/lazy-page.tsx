import type { ComponentType } from 'preact'
import { useLazyPart } from './lazy-part.ts'

/** A page in a script of its own. */
export function lazyPage<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  return function LazyPage(props: P) {
    const { part: Page, failed } = useLazyPart(load, true)
    if (Page !== null) return <Page {...props} />
    return <main class="empty">{failed ? 'This page could not be loaded. Reload it.' : 'Loading …'}</main>
  }
}
