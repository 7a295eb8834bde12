import { setTimeout as pause } from 'node:timers/promises'
import type { CDPSession, Page } from 'playwright-core'
import { z } from 'zod'
import { feedBus, RecordLoop } from './bus-feed.ts'
import { percentile, type Figure } from './figures.ts'
import { isSoon, startPageSystem } from './page-system.ts'
import type { RunRow } from './row.ts'

const perSecond = 1_000
const scrolledRows = 100_000

/** Chromium on the live table: frames drawn while rows come, its heap, and a fast scroll over all rows it holds. */
export const run: RunRow = async ({ pick, folder, say }) => {
  const seconds = pick(4, 60, 600)
  const system = await startPageSystem(folder)
  try {
    const page = await system.newPage()
    await page.goto(`${system.url}/capture`)
    const session = await page.context().newCDPSession(page)
    const records = new RecordLoop(65_000)
    await feedBus(system.api.bus, records, { perSecond, seconds: pick(2, 5, 5) })
    await page.locator('.table-rows [role=row]').first().waitFor()
    const early = await heapBytes(session)
    await page.evaluate(countFrames)
    await feedBus(system.api.bus, records, { perSecond, seconds })
    const gaps = z.array(z.number()).parse(await page.evaluate('benchFrames'))
    const late = await heapBytes(session)
    const rows = Math.round((seconds + pick(2, 5, 5)) * perSecond)
    // A page keeps what it shows: up to its bound of rows it grows by them, and no further.
    const figures: Figure[] = [
      {
        name: 'page: frames drawn at 1,000 rows/s',
        value: (gaps.length / gaps.reduce((a, b) => a + b, 0)) * 1_000,
        unit: 'fps',
        atLeast: 58,
      },
      { name: 'page: time between two frames, p99', value: percentile(gaps, 0.99), unit: 'ms' },
      { name: 'page: heap at first', value: early / 1e6, unit: 'MB' },
      { name: `page: heap after ${rows.toLocaleString('en-US')} rows`, value: late / 1e6, unit: 'MB' },
    ]
    const wanted = pick(scrolledRows / 10, scrolledRows, scrolledRows)
    await feedBus(system.api.bus, records, {
      perSecond: 5_000,
      seconds: Math.max(1, (wanted - rows) / 5_000),
    })
    // The foot of the table counts what is held; the API may still be sending.
    const held = `document.querySelector('[role=grid]').getAttribute('aria-rowcount') >= ${wanted}`
    if (!(await isSoon(page, held, 60_000))) say('not all rows came')
    await pause(1_000)
    const scrolled = await scrollThrough(page)
    say(`${scrolled.rows} rows scrolled in ${scrolled.looks} frames`)
    return [
      ...figures,
      {
        name: 'page: rows in the table that is scrolled',
        value: scrolled.rows,
        unit: 'rows',
        atLeast: wanted,
      },
      { name: 'page: frames of the scroll with a blank', value: scrolled.blanks, unit: 'frames', atMost: 0 },
      { name: 'page: heap with all rows', value: (await heapBytes(session)) / 1e6, unit: 'MB' },
    ]
  } finally {
    await system.stop()
  }
}

const countFrames = `{
  globalThis.benchFrames = []
  let before = 0
  const step = (now) => {
    if (before > 0) benchFrames.push(now - before)
    before = now
    requestAnimationFrame(step)
  }
  requestAnimationFrame(step)
}`

async function heapBytes(session: CDPSession): Promise<number> {
  await session.send('HeapProfiler.collectGarbage')
  const { usedSize } = await session.send('Runtime.getHeapUsage')
  return usedSize
}

const scrollResult = z.object({ rows: z.number(), looks: z.number(), blanks: z.number() })

/** From one end to the other in 400 frames; in each, rows must cover the window from its head to its foot. */
async function scrollThrough(page: Page): Promise<z.infer<typeof scrollResult>> {
  return scrollResult.parse(
    await page.evaluate(`new Promise((resolve) => {
      const rows = document.querySelector('.table-rows')
      const table = rows.closest('[role=grid]')
      const frames = 400
      const reach = table.scrollHeight - table.clientHeight
      let looks = 0
      let blanks = 0
      const look = () => {
        const { top, bottom, left } = table.getBoundingClientRect()
        const head = table.querySelector('.table-head').getBoundingClientRect().height
        for (const y of [top + head + 4, (top + bottom) / 2, bottom - 24])
          if (document.elementFromPoint(left + 60, y)?.closest('.table-rows [role=row]') == null) {
            blanks += 1
            break
          }
      }
      const step = () => {
        if (looks === frames) {
          const rowHeight = rows.querySelector('[role=row]').getBoundingClientRect().height
          resolve({ rows: Math.round(rows.getBoundingClientRect().height / rowHeight), looks, blanks })
          return
        }
        looks += 1
        table.scrollTop = reach * (1 - looks / frames)
        // Behind the page's own answer to the scroll and right before the browser paints.
        requestAnimationFrame(() => {
          look()
          setTimeout(step)
        })
      }
      step()
    })`),
  )
}
