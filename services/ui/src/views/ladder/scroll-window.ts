import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

export interface ScrollWindow {
  readonly top: number
  readonly width: number
  readonly height: number
  /** False until the element is in the document, which is before anything is painted: nothing is worth drawing yet. */
  readonly isMeasured: boolean
}

/** Drawn in steps of this many pixels: most scroll events change nothing. */
const step = 120

/** What of a scrolling element's content can be seen, in pixels of the content, rounded down to steps. */
export function useScrollWindow(scroller: RefObject<HTMLElement | null>): ScrollWindow {
  const [seen, setSeen] = useState<ScrollWindow>({ top: 0, width: 0, height: 0, isMeasured: false })
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    const update = () => {
      const top = Math.floor(element.scrollTop / step) * step
      const { clientWidth: width, clientHeight: height } = element
      setSeen((before) =>
        before.isMeasured && before.top === top && before.width === width && before.height === height
          ? before
          : { top, width, height, isMeasured: true },
      )
    }
    const observer = new ResizeObserver(update)
    observer.observe(element)
    element.addEventListener('scroll', update, { passive: true })
    update()
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', update)
    }
  }, [])
  return seen
}

/** Room drawn above and below what is seen, so that a fast wheel shows no blank. */
export const overscan = 1_200 + step
