import { SipStory } from '@sip-capture/testing/sip-story.ts'
import type { CDPSession } from 'playwright-core'
import { z } from 'zod'
import { startSite } from '../test/browser.ts'
import { answeredCall } from '../test/sip-calls.ts'
import { storyRows } from '../test/story-rows.ts'

/**
 * How fast a ladder of 5,000 messages opens and scrolls in Chromium: `node --import tsx bench/ladder.ts [runs]`. Opened: what
 * the window shows is drawn, and answers its user; whole: all messages are in the ladder, and the verdict is there. Times by
 * the clock, and by the processor time of the page's main thread, which a busy machine stretches less.
 */

const messages = 5000
const runs = Number(process.argv[2] ?? 7)
const frames = 240

const pbx = { address: '203.0.113.2', port: 5060 }
const phone = { address: '198.51.100.7', port: 5062, name: 'alice' }
const trunk = { address: '192.0.2.200', port: 5060, name: 'carrier-a' }

/** Two legs in one call that are changed again and again: re-INVITEs with SDP, the costliest to draw. */
function longStory(): SipStory {
  const story = new SipStory(pbx, (Date.now() - 7_200_000) * 1000)
  const legs = [
    story.leg('bench-a', { user: '1001', host: phone }, { user: '1002', host: pbx }),
    story.leg('bench-b', { user: '1001', host: pbx }, { user: '1002', host: trunk }),
  ]
  for (let round = 0; story.seen.length < messages; round++) {
    story.at(round * 1.7)
    for (const leg of legs)
      leg
        .request('INVITE', {
          cseq: round + 1,
          sdp: { address: leg.caller.host.address, direction: round % 2 === 0 ? 'sendrecv' : 'sendonly' },
        })
        .answer(200, 'OK', 'INVITE', { cseq: round + 1, sdp: { address: leg.callee.host.address } })
        .request('ACK', { cseq: round + 1 })
        .request('INFO', { cseq: round + 100_000 })
        .answer(200, 'OK', 'INFO', { cseq: round + 100_000 })
  }
  return story
}

const site = await startSite()
const rows = storyRows(longStory().seen.slice(0, messages), (Date.now() - 7_200_000) * 1000)
site.api.add(rows)
site.api.add(answeredCall({ callId: 'short', startMicros: (Date.now() - 7_200_000) * 1000 }))
site.api.link(['bench-a', 'bench-b'])

/** Processor time of the page's main thread since the click, milliseconds. */
interface Spent {
  /** Until the rows of the window are in the document; their painting is not in it. */
  readonly toShown: number
  readonly toWhole: number
}

const marks = z.object({
  value: z.array(z.object({ name: z.string(), cat: z.string(), tts: z.number().optional() })),
})

/** A trace of the page's marks has the processor time at which each was set. */
async function traceMarks(session: CDPSession): Promise<() => Promise<Spent>> {
  const at = new Map<string, number>()
  session.on('Tracing.dataCollected', (data) => {
    for (const { name, cat, tts } of marks.parse(data).value)
      if (cat === 'blink.user_timing' && tts !== undefined) at.set(name, tts / 1000)
  })
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['blink.user_timing'] },
  })
  return async () => {
    const complete = new Promise((resolve) => {
      session.once('Tracing.tracingComplete', resolve)
    })
    await session.send('Tracing.end')
    await complete
    const [begin = Number.NaN, shown = Number.NaN, whole = Number.NaN] = ['begin', 'shown', 'whole'].map(
      (name) => at.get(name),
    )
    return { toShown: shown - begin, toWhole: whole - begin }
  }
}

interface Opening {
  /** Milliseconds from the click on. */
  readonly answered: number
  readonly drawn: number
  readonly whole: number
  /** The longest time between two frames on the way. */
  readonly longestFrame: number
}

const opened: (Opening & Spent)[] = []
const perFrame: number[] = []
const deltas: number[] = []
for (let run = 0; run <= runs; run++) {
  const { page } = await site.open('/capture?mode=history&onlyCallId=nothing&callId=short')
  await page.waitForLoadState('networkidle')
  // tsx names functions with a helper of its own that the page does not have.
  await page.evaluate('globalThis.__name = (one) => one')
  // A page in use has had a call open before: the scripts of the pane are there.
  await page.getByTestId('verdict').waitFor()
  await page.keyboard.press('Escape')
  await page.getByTestId('detail').waitFor({ state: 'detached' })
  const session = await page.context().newCDPSession(page)
  const processorAt = await traceMarks(session)
  await session.send('Performance.enable', { timeDomain: 'threadTicks' })
  /** Milliseconds of processor time that the main thread has used. */
  const processor = async (): Promise<number> => {
    const { metrics } = await session.send('Performance.getMetrics')
    return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1000
  }
  const times = await page.evaluate(
    (count) =>
      new Promise<Opening>((resolve) => {
        performance.clearResourceTimings()
        performance.mark('begin')
        const begin = performance.now()
        let [drawn, before, longestFrame] = [0, begin, 0]
        // What a frame finds in the document is on the screen when the frame after it begins.
        let [isDrawn, isWhole] = [false, false]
        const frame = () => {
          const now = performance.now()
          longestFrame = Math.max(longestFrame, now - before)
          before = now
          if (isDrawn && drawn === 0) drawn = now
          if (isWhole) {
            performance.mark('whole')
            const call = performance
              .getEntriesByType('resource')
              .find(({ name }) => name.includes('/api/v1/calls/'))
            const answered = call instanceof PerformanceResourceTiming ? call.responseStart - begin : 0
            return resolve({ answered, drawn: drawn - begin, whole: now - begin, longestFrame })
          }
          const ladder = document.querySelector('.ladder')
          isDrawn = ladder?.querySelector('.arrow') != null
          isWhole =
            isDrawn &&
            ladder?.getAttribute('aria-label')?.includes(` ${count} messages`) === true &&
            document.querySelector('[data-testid=verdict]') !== null
          requestAnimationFrame(frame)
          return undefined
        }
        requestAnimationFrame(frame)
        const observer = new MutationObserver(() => {
          if (document.querySelector('.arrow') === null) return
          observer.disconnect()
          performance.mark('shown')
        })
        observer.observe(document.body, { childList: true, subtree: true })
        window.history.pushState(null, '', '/capture?callId=bench-a')
        window.dispatchEvent(new PopStateEvent('popstate'))
      }),
    messages,
  )
  const spent = await processorAt()
  const beforeScrolling = await processor()
  const scrolled = await page.evaluate(
    (count) =>
      new Promise<number[]>((resolve) => {
        const ladder = document.querySelector('.ladder')
        const found: number[] = []
        let before = 0
        const step = (now: number) => {
          if (before > 0) found.push(now - before)
          before = now
          // About a screen in eight frames: a fast wheel.
          ladder?.scrollBy(0, 60)
          if (found.length < count) requestAnimationFrame(step)
          else resolve(found)
        }
        requestAnimationFrame(step)
      }),
    frames,
  )
  const afterScrolling = await processor()
  await page.context().close()
  // The first run warms up the browser and the server.
  if (run === 0) continue
  opened.push({ ...times, ...spent })
  perFrame.push((afterScrolling - beforeScrolling) / scrolled.length)
  deltas.push(...scrolled)
}
await site.close()

const at = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ??
  Number.NaN
const show = (name: string, values: readonly number[]) =>
  console.log(
    `${name.padEnd(44)} median ${at(values, 0.5).toFixed(1)} ms, worst ${Math.max(...values).toFixed(1)} ms`,
  )
console.log(`${messages} messages of 2 legs, ${runs} runs after one to warm up`)
show(
  'click to first byte of the answer',
  opened.map(({ answered }) => answered),
)
show(
  'click to drawn: opened',
  opened.map(({ drawn }) => drawn),
)
show(
  'click to all messages and the verdict: whole',
  opened.map(({ whole }) => whole),
)
show(
  'longest frame on the way',
  opened.map(({ longestFrame }) => longestFrame),
)
show(
  'processor time to the rows of the window',
  opened.map(({ toShown }) => toShown),
)
show(
  'processor time to whole',
  opened.map(({ toWhole }) => toWhole),
)
show('scrolling, processor time of a frame', perFrame)
console.log(
  `scrolling, ${deltas.length} frames: median ${at(deltas, 0.5).toFixed(1)} ms, 95 % within ${at(deltas, 0.95).toFixed(1)} ms, 99 % within ${at(deltas, 0.99).toFixed(1)} ms, late (over 20 ms) ${deltas.filter((delta) => delta > 20).length}`,
)
