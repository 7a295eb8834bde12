import type { RefObject } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'

/** Away from the top the rows under the eye stay where they are; answers how many came in above since. */
export function useHeldScroll<Key>(options: {
  readonly scroller: RefObject<HTMLElement | null>
  readonly rowHeight: number
  /** False: new rows do not come in above. */
  readonly isNewestFirst: boolean
  readonly keyAt: (index: number) => Key | undefined
  /** −1: it is gone. */
  readonly indexOf: (key: Key) => number
}): number {
  const { scroller, rowHeight, isNewestFirst, keyAt, indexOf } = options
  const anchor = useRef<{ key: Key; index: number } | null>(null)
  const [above, setAbove] = useState(0)
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return
    if (element.scrollTop < rowHeight || !isNewestFirst) {
      anchor.current = null
      if (above !== 0) setAbove(0)
    } else if (anchor.current !== null) {
      const now = indexOf(anchor.current.key)
      const moved = now < 0 ? 0 : now - anchor.current.index
      if (moved > 0) {
        element.scrollTop += moved * rowHeight
        setAbove((before) => before + moved)
      }
    }
    const first = Math.floor(element.scrollTop / rowHeight)
    const key = element.scrollTop < rowHeight ? undefined : keyAt(first)
    anchor.current = key === undefined ? null : { key, index: first }
  })
  return above
}
