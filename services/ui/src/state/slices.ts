/** A frame at 60 a second is 16.7 ms; the rest of it is the browser's. */
const sliceMillis = 10

/** Does work in slices, so that the page answers its user meanwhile; short work is done when this returns. `done` gets what
 *  it came to, unless the signal ended it before. The first slice may be longer. */
export function runInSlices<T>(
  steps: Generator<unknown, T>,
  { signal, firstMillis = 0 }: { signal: AbortSignal; firstMillis?: number },
  done: (result: T) => void,
): void {
  const until = performance.now() + Math.max(firstMillis, sliceMillis)
  while (!signal.aborted) {
    const step = steps.next()
    if (step.done === true) return done(step.value)
    if (performance.now() < until) continue
    setTimeout(() => runInSlices(steps, { signal }, done))
    return
  }
}

/** A page in the background paints nothing. */
const longestPaintMillis = 200

/** When what was changed just now is on the screen. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, longestPaintMillis)
    globalThis.requestAnimationFrame?.(() => setTimeout(resolve))
  })
}
