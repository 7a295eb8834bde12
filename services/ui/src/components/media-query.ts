import { useEffect, useState } from 'preact/hooks'

/** Follows a CSS media query. */
export function useMediaQuery(query: string): boolean {
  const [matches, setMatches] = useState(() => window.matchMedia(query).matches)
  useEffect(() => {
    const list = window.matchMedia(query)
    const update = () => setMatches(list.matches)
    update()
    list.addEventListener('change', update)
    return () => list.removeEventListener('change', update)
  }, [query])
  return matches
}

/** Below this the page is a phone's: rows are cards, the detail fills the screen. */
export const phoneQuery = '(max-width: 767px)'
