import t from 'tap'
import {
  addWord,
  checkWord,
  emptyFilter,
  isNarrowed,
  readFilter,
  removeWord,
  serverKey,
  tidyWord,
  toLiveFilter,
  toQuery,
  writeFilter,
} from '../src/state/capture-filter.ts'

const read = (query: string) => readFilter(new URLSearchParams(query))

t.test('a filter survives the address bar', async (t) => {
  let filter = addWord(emptyFilter, 'method', 'INVITE')
  filter = addWord(filter, 'status', '4xx')
  filter = addWord(filter, 'callId', 'a,b&c=%2e@host;x')
  filter = addWord(filter, 'text', ' leading space')
  filter = {
    ...filter,
    hideNoise: true,
    mode: 'history',
    sinceMicros: 1_795_412_000_000_001,
    untilMicros: null,
  }
  const params = writeFilter(filter, new URLSearchParams('callId=open-call'))
  t.same(readFilter(new URLSearchParams(params.toString())), filter)
  t.equal(params.get('callId'), 'open-call', 'the open call is not a filter')
})

t.test('a time range has dates, in the address and to the API, and means history', async (t) => {
  const filter = read('since=2026-11-22T23:59:00.000000Z&until=2026-11-23T00:01:00.000000Z')
  t.equal(filter.mode, 'history')
  t.equal(toQuery(filter).get('since'), '2026-11-22T23:59:00.000000Z')
  t.equal(toQuery(filter).get('until'), '2026-11-23T00:01:00.000000Z')
})

t.test('what the contract refuses is never sent', async (t) => {
  const filter = read('status=9999&status=5xx&status=errors&source=elsewhere&since=yesterday&method=')
  t.same(filter.words, { status: ['5xx'] })
  t.equal(filter.sinceMicros, null)
  t.match(checkWord('status', 'errors'), /486/)
  t.equal(checkWord('status', '4xx'), null)
})

t.test('what people type becomes what SIP says', async (t) => {
  t.equal(tidyWord('method', ' invite '), 'INVITE')
  t.equal(tidyWord('status', '4XX'), '4xx')
  t.equal(tidyWord('number', '+43 (1) 555-0100'), '+4315550100')
  t.equal(tidyWord('callId', ' A b '), ' A b ')
})

t.test('words repeat, and a comma in a Call-ID is no separator', async (t) => {
  const filter = addWord(addWord(emptyFilter, 'callId', 'a,b'), 'callId', 'c')
  t.same(toLiveFilter(filter), { callId: ['a,b', 'c'] })
  t.same(toQuery(filter).getAll('callId'), ['a,b', 'c'])
})

t.test('removing the last value removes the word', async (t) => {
  const filter = removeWord(addWord(emptyFilter, 'trunk', 'carrier-a'), 'trunk', 'carrier-a')
  t.notOk(isNarrowed(filter))
  t.same(toLiveFilter(filter), {})
})

t.test('hiding OPTIONS and REGISTER asks the server for nothing new', async (t) => {
  t.equal(serverKey({ ...emptyFilter, hideNoise: true }), serverKey(emptyFilter))
  t.not(serverKey({ ...emptyFilter, mode: 'history' }), serverKey(emptyFilter))
})
