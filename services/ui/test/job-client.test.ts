import './dom.ts'
import t from 'tap'
import { filterText } from '../src/format/filter.ts'
import { isNarrowed, readFilter, toExportFilter, toQuery, writeFilter } from '../src/state/capture-filter.ts'
import { filterOf, orderOf } from '../src/state/job-client.ts'
import { closeNotice, notices, notify } from '../src/state/notices.ts'
import { callPath } from '../src/state/open-call.ts'
import { faultOf } from '../src/state/upload.ts'
import { anExport } from './fake-jobs.ts'

const file = (hex: string) => new File([Buffer.from(hex, 'hex')], 'x')
const id = 'ab'.repeat(16)

t.test('an import is history, kept in the address, and no filter that could be cleared', async (t) => {
  const filter = readFilter(new URLSearchParams({ capture: id, status: '4xx' }))
  t.match(filter, { mode: 'history', capture: id })
  t.equal(toQuery(filter).get('capture'), id)
  t.same(toExportFilter(filter), { status: ['4xx'], capture: [id] })
  t.equal(writeFilter(filter, new URLSearchParams()).get('capture'), id)
  t.notOk(isNarrowed(readFilter(new URLSearchParams({ capture: id }))))
})

t.test('what is no id of an import is left out, never sent', async (t) => {
  for (const capture of ['', '../exports', id.toUpperCase(), `${id}0`, '<b>'])
    t.match(readFilter(new URLSearchParams({ capture })), { mode: 'live', capture: null })
})

t.test('the paths of a call name its import, and only then', async (t) => {
  t.equal(callPath({ callId: 'a/b?c', capture: null }), '/calls/a%2Fb%3Fc')
  t.equal(
    callPath({ callId: 'a', capture: id }, '/pcap', { format: 'pcap' }),
    `/calls/a/pcap?format=pcap&capture=${id}`,
  )
})

t.test('"again" asks for the same, whatever form the times were kept in', async (t) => {
  const order = orderOf(
    anExport({
      name: 'n',
      mask: true,
      request: {
        filter: { status: ['486'] },
        wholeCalls: true,
        since: 1_795_412_000_000_000,
        until: '2026-11-23T05:41:50Z',
        scheduleId: 'x',
      },
    }),
  )
  t.same(order, {
    filter: { status: ['486'] },
    format: 'pcapng',
    mask: true,
    wholeCalls: true,
    name: 'n',
    since: '1795412000000000',
    until: '2026-11-23T05:41:50Z',
  })
})

t.test('a filter of an unknown shape is none; hostile values are shown escaped', async (t) => {
  t.same(filterOf({ status: 'not a list' }), {})
  t.same(filterOf({ status: ['4xx'], q: 'a OR b' }), { status: ['4xx'], q: 'a OR b' })
  t.equal(filterText({ q: 'a\u202e OR b' }), 'Search a\\u{202e} OR b')
  t.equal(filterText({}), 'everything')
  t.equal(filterText({ from: ['a\u202eb', '<i>'], status: [] }), 'From a\\u{202e}b or <i>')
})

t.test('a file is judged by its first bytes', async (t) => {
  for (const hex of ['0a0d0d0a', 'd4c3b2a1', 'a1b2c3d4', '4d3cb2a1', 'a1b23c4d'])
    t.equal(await faultOf(file(hex)), null, hex)
  t.match(await faultOf(file('')), /empty/)
  t.equal(await faultOf(file('1f8b0800')), null, 'gzip is unpacked by the API')
  t.match(await faultOf(file('25504446')), /not a capture file/)
  t.match(await faultOf(file('d4')), /not a capture file/)
})

t.test('notices are bounded: the oldest that nothing waits for makes room, and is closed', async (t) => {
  const closed: number[] = []
  for (let count = 0; count < 6; count += 1)
    notify({
      level: 'info',
      text: String(count),
      ...(count === 0 ? { progress: 0.5 } : {}),
      onClose: () => closed.push(count),
    })
  notify({ level: 'error', text: 'new' })
  t.equal(notices.value.length, 6)
  t.equal(notices.value[0]?.text, '0', 'what goes on stays')
  t.same(closed, [1])
  for (const notice of notices.value) closeNotice(notice.id)
  t.same(notices.value, [])
})
