import type { RefObject } from 'preact'
import { useLayoutEffect, useReducer, useRef } from 'preact/hooks'

export interface VirtualRow {
  readonly index: number
  /** Pixels from the top of the first row. */
  readonly start: number
}

export interface VirtualRows {
  readonly items: readonly VirtualRow[]
  readonly totalHeight: number
  readonly scrollToIndex: (index: number) => void
}

/** Rows beyond both edges, so that a scroll has something to show before the next draw. */
const overscan = 8

/** Rows of one height in a scrolling element: only those near the window exist. Since all heights are equal, where a row
 *  stands is a product: a library that measures rows would be a tenth of the first load. */
export function useVirtualRows(options: {
  readonly count: number
  readonly rowHeight: number
  /** Height of what sticks to the top of the scrolling element. */
  readonly headHeight?: number
  readonly scroller: RefObject<HTMLElement | null>
}): VirtualRows {
  const { count, rowHeight, headHeight = 0, scroller } = options
  const [, redraw] = useReducer((turn: number, step: number) => turn + step, 0)
  /** First row in the window, and how many fit. */
  const seen = useRef({ first: 0, fit: 0 })

  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const look = () => {
      const first = Math.floor(element.scrollTop / rowHeight)
      const fit = Math.ceil(element.clientHeight / rowHeight) + 1
      if (first === seen.current.first && fit === seen.current.fit) return
      seen.current = { first, fit }
      redraw(1)
    }
    look()
    element.addEventListener('scroll', look, { passive: true })
    const observer = new ResizeObserver(look)
    observer.observe(element)
    return () => {
      element.removeEventListener('scroll', look)
      observer.disconnect()
    }
  }, [rowHeight])

  const { first, fit } = seen.current
  // A table that became shorter has its window beyond the end until the browser says so.
  const last = Math.min(count, first + fit + overscan)
  const begin = Math.max(0, Math.min(first, count - fit) - overscan)
  return {
    items: Array.from({ length: Math.max(0, last - begin) }, (_, n) => ({
      index: begin + n,
      start: (begin + n) * rowHeight,
    })),
    totalHeight: count * rowHeight,
    scrollToIndex(index) {
      const element = scroller.current
      if (element === null) return
      const top = index * rowHeight
      const room = element.clientHeight - headHeight - rowHeight
      element.scrollTop = Math.min(top, Math.max(element.scrollTop, top - room))
    },
  }
}
