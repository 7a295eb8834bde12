import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'
import { behindFrame } from '../../state/behind-frame.ts'

export interface ScrollWindow {
  readonly top: number
  readonly width: number
  readonly height: number
  /** False until the element is in the document, which is before anything is painted: nothing is worth drawing yet. */
  readonly isMeasured: boolean
}

/** Drawn in steps of this many pixels: most scroll events change nothing. */
const step = 120

/**
 * What of a scrolling element's content can be seen, in pixels of the content, rounded down to steps. While one scrolls within
 * what is drawn it is told right behind each frame: what then comes into reach is made and laid out in the rest of that frame's
 * time, and only painted in the next one's. Both in one frame made every hundredth late.
 */
export function useScrollWindow(scroller: RefObject<HTMLElement | null>): ScrollWindow {
  const [seen, setSeen] = useState<ScrollWindow>({ top: 0, width: 0, height: 0, isMeasured: false })
  useLayoutEffect(() => {
    const element = scroller.current
    if (element === null) return undefined
    let told = 0
    let isWaiting = false
    const update = () => {
      isWaiting = false
      const top = Math.floor(element.scrollTop / step) * step
      const { clientWidth: width, clientHeight: height } = element
      told = top
      setSeen((before) =>
        before.isMeasured && before.top === top && before.width === width && before.height === height
          ? before
          : { top, width, height, isMeasured: true },
      )
    }
    const onScroll = () => {
      // So far that the next frame might show a blank.
      if (Math.abs(element.scrollTop - told) > overscan / 2) update()
      else if (!isWaiting) {
        isWaiting = true
        behindFrame(update)
      }
    }
    const observer = new ResizeObserver(update)
    observer.observe(element)
    element.addEventListener('scroll', onScroll, { passive: true })
    update()
    return () => {
      observer.disconnect()
      element.removeEventListener('scroll', onScroll)
    }
  }, [])
  // To ask for a place lays out what was just made, not the next frame.
  useLayoutEffect(() => void scroller.current?.scrollTop, [seen])
  return seen
}

/** Room drawn above and below what is seen, so that a fast wheel shows no blank. */
export const overscan = 1_200 + step
