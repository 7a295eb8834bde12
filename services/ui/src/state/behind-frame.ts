/** Where no frames are drawn, as in a tab that is not seen. */
const longestWaitMillis = 100

/**
 * Runs `work` right behind the next frame, where its script and layout have the time of a whole frame, and its painting that of
 * the one after. Begun at any other moment both are in one frame, and that is late.
 */
export function behindFrame(work: () => void): void {
  let isDone = false
  const once = () => {
    if (isDone) return
    isDone = true
    work()
  }
  setTimeout(once, longestWaitMillis)
  globalThis.requestAnimationFrame?.(() => setTimeout(once))
}
