import t from 'tap'
import { cronText, nextRuns, parseCron } from '../src/format/cron.ts'

const read = (text: string) => {
  const parsed = parseCron(text)
  return parsed.ok ? cronText(parsed.cron) : parsed.problem
}
const runs = (text: string, timeZone: string, after: string, count = 3) => {
  const parsed = parseCron(text)
  return parsed.ok
    ? nextRuns(parsed.cron, timeZone, Date.parse(after), count).map((at) => new Date(at).toISOString())
    : []
}

t.test('a cron line is read in plain words', async (t) => {
  t.equal(read('0 6 * * *'), 'Every day at 06:00')
  t.equal(read('30 6 * * 1-5'), 'Monday to Friday at 06:30')
  t.equal(read('0 6 * * mon'), 'Every Monday at 06:00')
  t.equal(read('0 0 * * 7'), 'Every Sunday at 00:00')
  t.equal(read('0 6 1 * *'), 'On day 1 of the month at 06:00')
  t.equal(read('*/15 * * * *'), 'Every 15 minutes')
  t.equal(read('5 * * * *'), 'Every hour at minute 5')
  t.equal(read('0 8,20 * jan,7 *'), 'Every day in January and July at 08:00 and 20:00')
  t.equal(read('0 6 1 * 1'), 'On day 1 of the month and every Monday at 06:00')
})

t.test('what is wrong is said by its field', async (t) => {
  t.equal(read('0 6 * *'), 'needs five fields: minute, hour, day of month, month, day of week')
  t.equal(read('60 6 * * *'), 'minute: “60” cannot be read')
  t.equal(read('0 24 * * *'), 'hour: “24” cannot be read')
  t.equal(read('0 6 0 * *'), 'day of month: “0” cannot be read')
  t.equal(read('0 6 * 13 *'), 'month: “13” cannot be read')
  t.equal(read('0 6 * * 5-1'), 'day of week: “5-1” cannot be read')
  t.equal(read('*/0 * * * *'), 'minute: “*/0” cannot be read')
  t.equal(read('<b> * * * *'), 'minute: “<b>” cannot be read')
})

t.test('the next runs keep the wall clock of the zone over its changes', async (t) => {
  t.same(runs('0 6 * * *', 'Europe/Vienna', '2026-10-24T03:00:00Z'), [
    '2026-10-24T04:00:00.000Z',
    '2026-10-25T05:00:00.000Z',
    '2026-10-26T05:00:00.000Z',
  ])
  t.same(
    runs('30 2 * * *', 'Europe/Vienna', '2026-03-28T10:00:00Z', 2),
    ['2026-03-29T01:30:00.000Z', '2026-03-30T00:30:00.000Z'],
    'a time that is skipped comes an hour later',
  )
  t.same(
    runs('30 2 * * *', 'Europe/Vienna', '2026-10-24T10:00:00Z', 2),
    ['2026-10-25T00:30:00.000Z', '2026-10-26T01:30:00.000Z'],
    'a time that comes twice runs once',
  )
  t.same(runs('0 0 * * *', 'Asia/Kathmandu', '2026-11-23T18:15:00Z', 1), ['2026-11-24T18:15:00.000Z'])
})

t.test('rare days are found, and days that never come are none', async (t) => {
  t.same(runs('0 0 29 2 *', 'UTC', '2026-11-23T00:00:00Z', 1), ['2028-02-29T00:00:00.000Z'])
  t.same(runs('0 0 31 2 *', 'UTC', '2026-11-23T00:00:00Z'), [])
})
