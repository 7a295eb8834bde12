import { setTimeout as pause } from 'node:timers/promises'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { callDetail } from '@sip-capture/contract/rest/call.ts'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { RecordLoop } from './bus-feed.ts'
import { median, percentile, type Figure } from './figures.ts'
import { createLongCall, type BenchCall } from './long-call.ts'
import { startPageSystem, type PageSystem } from './page-system.ts'
import { readRenderers, type Renderer } from './renderer.ts'
import type { RowContext, RunRow } from './row.ts'
import { callLogAtRest, type ApiSystem } from './system.ts'

const second = 1_000_000
/** In the last runs only, for a scroll takes ten times as long as an opening. */
const scrollFrames = 600
/** A notch of a mouse wheel in each frame: 7,200 px/s, faster than one reads. */
const wheelPixels = 120
const scrolledRuns = 5
/** The first frames of any scroll are late, those of a page of plain text too: the browser makes its layers. Not counted. */
const runUpFrames = 30
/** A frame that was not there at the next of 60 beats a second. */
const lateMillis = 20
const restMillis = 500

/**
 * A click on the first row of a call of thousands of messages in history. Opened: what the window shows is on the screen;
 * whole: all messages are in the ladder, and the verdict is there. Then the ladder is scrolled from one end to the other.
 */
export const run: RunRow = async (context) => {
  const { pick, folder, say } = context
  const startMicros = (Date.now() - 7_200_000) * 1_000
  const long = createLongCall({ name: 'long', messages: 5_000, legs: 2, startMicros })
  const dialog = createLongCall({
    name: 'dialog',
    messages: 10_000,
    legs: 1,
    startMicros: startMicros + 60 * second,
  })
  const short = createLongCall({
    name: 'short',
    messages: 10,
    legs: 1,
    startMicros: startMicros - 5 * second,
  })
  const others = pick(6_500, 65_000, 1_000_000)
  const system = await startPageSystem(folder)
  try {
    const { api } = system
    say('filling the history')
    await api.store(
      new RecordLoop(13_000).spread(others, startMicros - 600 * second, (1_200 * second) / others),
    )
    for (const call of [short, long, dialog]) await storeCall(api, call)
    await callLogAtRest(
      api,
      new Date(startMicros / 1_000 - 3_600_000),
      new Date(startMicros / 1_000 + 3_600_000),
    )
    say(`${(others + 15_010).toLocaleString('en-US')} messages in history`)
    const runs = pick(7, 11, 21)
    const opened = await openAgainAndAgain(system, { call: long, short, runs, context })
    const large = await openAgainAndAgain(system, { call: dialog, short, runs: pick(3, 5, 7), context })
    const plain = await scrollPlainRows(system)
    return [
      ...openFigures('ladder of 5,000', opened, 300),
      {
        name: `rows of plain text: scrolled likewise, ${wheelPixels} px a frame, mean`,
        value: rate(plain),
        unit: 'fps',
      },
      ...openFigures('dialog of 10,000', large, 2_000),
      {
        name: 'dialog of 10,000: heap of the page',
        value: Math.max(...large.map(({ heapBytes }) => heapBytes)) / 1e6,
        unit: 'MB',
        atMost: 300,
      },
      {
        name: 'dialog of 10,000: its whole process, peak resident',
        value: Math.max(...large.map(({ peakBytes }) => peakBytes)) / 1e6,
        unit: 'MB',
      },
    ]
  } finally {
    await system.stop()
  }
}

/** In history, its legs known, and all of it found by either. */
async function storeCall(api: ApiSystem, { callIds, records, events }: BenchCall): Promise<void> {
  await api.bus.publishCalls(events)
  await api.store(records)
  for (;;) {
    const answer = await api.get(`/api/v1/calls/${callIds[0] ?? ''}`)
    if (answer.ok && callDetail.parse(await answer.json()).legs.length === callIds.length) return
    await pause(50)
  }
}

const opening = z.object({
  /** Milliseconds since the click. */
  answered: z.number(),
  drawn: z.number(),
  whole: z.number(),
  /** The longest time between two frames on the way. */
  longestFrame: z.number(),
})

interface Opened extends z.infer<typeof opening>, Renderer {
  /** Times between frames: of the page at rest, of a scroll by the wheel, of one from the first message to the last. */
  readonly rest: readonly number[]
  readonly wheel: readonly number[]
  readonly frames: readonly number[]
  readonly blanks: number
  /** Processor time of the page's main thread, milliseconds: for the opening, and for a frame of the scroll. */
  readonly openMillis: number
  readonly frameMillis: number
  /** Of API and history. */
  readonly apiMillis: number
  readonly historyMillis: number
}

async function openAgainAndAgain(
  system: PageSystem,
  given: { call: BenchCall; short: BenchCall; runs: number; context: RowContext },
): Promise<Opened[]> {
  const opened: Opened[] = []
  for (let run = 0; run <= given.runs; run++) {
    const one = await openOnce(system, { ...given, isScrolled: run > given.runs - scrolledRuns })
    given.context.say(
      `answered ${one.answered.toFixed(0)}, drawn ${one.drawn.toFixed(0)}, whole ${one.whole.toFixed(0)} ms; ` +
        `processor: page ${one.openMillis.toFixed(0)}, api ${one.apiMillis.toFixed(0)}, history ${one.historyMillis.toFixed(0)} ms`,
    )
    // The first run warms up the browser and the services.
    if (run > 0) opened.push(one)
  }
  return opened
}

async function openOnce(
  system: PageSystem,
  { call, short, isScrolled }: { call: BenchCall; short: BenchCall; isScrolled: boolean },
): Promise<Opened> {
  const page = await system.newPage()
  try {
    const [first] = call.records
    const [other] = short.records
    if (first === undefined || other === undefined) throw new Error('a call has messages')
    const query = new URLSearchParams({
      since: toRfc3339(Math.min(first.atMicros, other.atMicros)),
      until: toRfc3339(first.atMicros + second),
    })
    for (const callId of [...call.callIds, ...short.callIds]) query.append('onlyCallId', callId)
    await page.goto(`${system.url}/capture?${query}`)
    // A page in use has had a call open before.
    await page.locator(`[data-message-id="${other.id}"]`).click()
    await page.getByTestId('verdict').waitFor()
    await page.keyboard.press('Escape')
    await page.getByTestId('detail').waitFor({ state: 'detached' })
    const session = await page.context().newCDPSession(page)
    await session.send('Performance.enable', { timeDomain: 'threadTicks' })
    // What the closing left to do is not the opening's: nobody clicks within the same moment.
    await pause(restMillis)
    const mainThread = async (): Promise<number> => {
      const { metrics } = await session.send('Performance.getMetrics')
      return (metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN) * 1_000
    }
    const { service } = system.api
    const [pageBefore, servicesBefore] = [await mainThread(), service.cpuSeconds()]
    await page.evaluate(watchOpening(call.records.length))
    await page.locator(`[data-message-id="${first.id}"]`).click()
    const times = opening.parse(await page.evaluate('benchOpened'))
    const [pageAfter, servicesAfter] = [await mainThread(), service.cpuSeconds()]
    const scroll = async (pixels?: number) =>
      isScrolled ? await scrollThrough(page, pixels) : { frames: [], blanks: 0 }
    const [rest, wheel] = [await scroll(0), await scroll(wheelPixels)]
    const scrollsAt = await mainThread()
    const { frames, blanks } = await scroll()
    const scrolledAt = await mainThread()
    await session.send('HeapProfiler.collectGarbage')
    return {
      ...times,
      rest: rest.frames,
      wheel: wheel.frames,
      frames,
      blanks: wheel.blanks + blanks,
      openMillis: pageAfter - pageBefore,
      frameMillis: (scrolledAt - scrollsAt) / frames.length,
      apiMillis: (servicesAfter.own - servicesBefore.own) * 1_000,
      historyMillis: (servicesAfter.below - servicesBefore.below) * 1_000,
      ...(await readRenderers(page, session)),
    }
  } finally {
    await page.context().close()
  }
}

/** In the page: begins with the click, as the browser stamped it. What a frame finds in the document is on the screen when
 *  the frame after it begins. */
const watchOpening = (messages: number): string => `{
  globalThis.benchOpened = new Promise((resolve) => {
    const watch = ({ timeStamp: begin }) => {
      performance.clearResourceTimings()
      let [drawn, before, longestFrame] = [0, performance.now(), 0]
      let [isDrawn, isWhole] = [false, false]
      const frame = () => {
        const now = performance.now()
        longestFrame = Math.max(longestFrame, now - before)
        before = now
        if (isDrawn && drawn === 0) drawn = now
        if (isWhole) {
          const call = performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/stream'))
          const answered = (call?.responseStart ?? begin) - begin
          resolve({ answered, drawn: drawn - begin, whole: now - begin, longestFrame })
          return
        }
        const ladder = document.querySelector('.ladder')
        isDrawn = ladder?.querySelector('.arrow') != null
        isWhole =
          isDrawn &&
          ladder.getAttribute('aria-label').includes(' ${messages} messages') &&
          document.querySelector('[data-testid=verdict]') !== null
        requestAnimationFrame(frame)
      }
      requestAnimationFrame(frame)
    }
    document.addEventListener('click', watch, { once: true, capture: true })
  })
  // A promise as the value of this would be waited for.
  void 0
}`

const scrollResult = z.object({ frames: z.array(z.number()), blanks: z.number() })

/** From the first message on, so many pixels a frame, or as many as lead to the last one; in each frame what is drawn must cover
 *  the window. */
async function scrollThrough(page: Page, pixels?: number): Promise<z.infer<typeof scrollResult>> {
  await page.evaluate("void (document.querySelector('.ladder').scrollTop = 0)")
  await pause(restMillis)
  return scrollResult.parse(
    await page.evaluate(`new Promise((resolve) => {
      const ladder = document.querySelector('.ladder')
      const canvas = ladder.querySelector('.ladder-canvas')
      const count = ${scrollFrames + runUpFrames}
      const each = ${pixels ?? '(ladder.scrollHeight - ladder.clientHeight) / count'}
      const frames = []
      let [before, blanks, at] = [0, 0, 0]
      const look = () => {
        if (canvas === null) return
        const seen = ladder.getBoundingClientRect()
        const whole = canvas.getBoundingClientRect()
        // Blocks, one below the other without a gap.
        const blocks = [...ladder.querySelectorAll('.ladder-svg')].map((block) => block.getBoundingClientRect())
        const drawn = {
          top: Math.min(...blocks.map(({ top }) => top)),
          bottom: Math.max(...blocks.map(({ bottom }) => bottom)),
        }
        const top = Math.max(seen.top, whole.top)
        const bottom = Math.min(seen.bottom, whole.bottom)
        if (drawn.top > top + 1 || drawn.bottom < bottom - 1) blanks += 1
      }
      const step = (now) => {
        if (at > ${runUpFrames}) frames.push(now - before)
        before = now
        if (at === count) return resolve({ frames, blanks })
        at += 1
        ladder.scrollTop = each * at
        requestAnimationFrame(step)
        // What is drawn of this position is seen after the frame.
        setTimeout(look)
      }
      requestAnimationFrame(step)
    })`),
  )
}

/** The same scroll of rows of text that no script makes: what the browser itself manages here. */
async function scrollPlainRows(system: PageSystem): Promise<readonly number[]> {
  const page = await system.newPage()
  try {
    const rows = Array.from(
      { length: 5_000 },
      (_, n) => `<p>#${n} INVITE sip:44201@198.51.100.33, CSeq ${n}</p>`,
    )
    await page.setContent(
      `<style>.ladder { height: 800px; overflow: auto } p { height: 46px; margin: 0 }</style>
       <div class="ladder">${rows.join('')}</div>`,
    )
    return (await scrollThrough(page, wheelPixels)).frames
  } finally {
    await page.context().close()
  }
}

/** As the browser's own clock has it: a page at rest counts 59.99 to 60.01. */
const toTenth = (value: number): number => Math.round(value * 10) / 10

/** Frames a second, of the milliseconds between them. */
const rate = (times: readonly number[]): number => (times.length / times.reduce((a, b) => a + b, 0)) * 1_000

function wheelNote(opened: readonly Opened[]): string {
  const wheel = opened.flatMap((one) => one.wheel)
  const late = wheel.filter((millis) => millis > lateMillis).length
  const rest = rate(opened.flatMap((one) => one.rest))
  return `mean ${rate(wheel).toFixed(2)} fps, ${late} of ${wheel.length} frames late; at rest ${rest.toFixed(1)} fps`
}

function openFigures(name: string, opened: readonly Opened[], atMost: number): Figure[] {
  const of = (
    key: 'answered' | 'drawn' | 'whole' | 'longestFrame' | 'openMillis' | 'frameMillis',
  ): number[] => opened.map((one) => one[key])
  const frames = opened.flatMap((one) => one.frames)
  const wheels = opened.map(({ wheel }) => wheel).filter(({ length }) => length > 0)
  return [
    {
      name: `${name}: click → drawn, median of ${opened.length}`,
      value: median(of('drawn')),
      unit: 'ms',
      atMost,
    },
    { name: `${name}: click → drawn, worst`, value: Math.max(...of('drawn')), unit: 'ms' },
    { name: `${name}: click → first byte, median`, value: median(of('answered')), unit: 'ms' },
    { name: `${name}: click → all messages and the verdict, median`, value: median(of('whole')), unit: 'ms' },
    { name: `${name}: longest frame on the way, median`, value: median(of('longestFrame')), unit: 'ms' },
    {
      name: `${name}: processor time until whole, page`,
      value: median(of('openMillis')),
      unit: 'ms',
      note: `API ${median(opened.map((one) => one.apiMillis)).toFixed(0)} ms, history ${median(opened.map((one) => one.historyMillis)).toFixed(0)} ms`,
    },
    {
      name: `${name}: scrolled by the wheel, ${wheelPixels} px a frame, median of ${wheels.length} pages`,
      value: toTenth(median(wheels.map(rate))),
      unit: 'fps',
      atLeast: 60,
      note: wheelNote(opened),
    },
    {
      name: `${name}: scrolled from end to end in ${scrollFrames} frames`,
      value: rate(frames),
      unit: 'fps',
      atLeast: 58,
    },
    { name: `${name}: time between two frames, p99`, value: percentile(frames, 0.99), unit: 'ms' },
    {
      name: `${name}: processor time of a frame, page`,
      value: median(of('frameMillis').filter(Number.isFinite)),
      unit: 'ms',
    },
    {
      name: `${name}: frames of the scroll with a blank`,
      value: opened.reduce((count, one) => count + one.blanks, 0),
      unit: 'frames',
      atMost: 0,
    },
  ]
}
