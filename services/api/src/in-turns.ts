import { setImmediate as breathe } from 'node:timers/promises'

/** The longest that one piece of work after the other may keep the process from all else. */
const turnMillis = 5

/** `work` for each of many items. Every few milliseconds what else waits goes ahead: questions that came, answers of the engine. */
export async function inTurns<T>(items: Iterable<T>, work: (item: T) => void): Promise<void> {
  let turnEnds = performance.now() + turnMillis
  for (const item of items) {
    work(item)
    if (performance.now() < turnEnds) continue
    await breathe()
    turnEnds = performance.now() + turnMillis
  }
}
