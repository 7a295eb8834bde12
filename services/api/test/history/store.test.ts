import t from 'tap'
import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { readCallStats } from '../../src/calls/call-stats.ts'
import { insertCalls, listCalls } from '../../src/calls/call-store.ts'
import { summariseCall, type CallSummary } from '../../src/calls/summarise-call.ts'
import { countMessages, ExportReader, type ExportQuery } from '../../src/history/files/export-reader.ts'
import { insertCallEvents, readCallEvents } from '../../src/history/leg-store.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { readCallMessages, type RowKey } from '../../src/history/message-reader.ts'
import { insertMessages } from '../../src/history/message-writer.ts'
import { migrate, migrations } from '../../src/history/schema.ts'
import type { Store } from '../../src/history/store.ts'
import { readLatestRegisters } from '../../src/registrations/register-store.ts'
import { callMessages } from '../calls/call-messages.ts'
import { insertViews, pack, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { insertAsBefore } from './rows-of-before.ts'
import { openTestStore } from '../test-store.ts'

const start = 1_795_391_929_000_000
const second = 1_000_000
const day = 86_400 * second

/** One message of each of so many calls, a second apart. */
const calls = (count: number, from = start) =>
  Array.from({ length: count }, (_, n) =>
    viewOf(
      sipRecordOf(sipText({ callId: `call-${n}`, from: `<sip:${100 + (n % 7)}@example.org>;tag=a` }), {
        atMicros: from + n * second,
      }),
    ),
  )

t.test('tables are made once, also by two at once; a version before goes on with them', async (t) => {
  const store = await openTestStore(t, { hasTables: false })
  // Before the text index.
  const older = migrations.slice(0, 3)
  await Promise.all([migrate(store, older), migrate(store, older)])
  await insertAsBefore(store, calls(20))
  await Promise.all([migrate(store), migrate(store)])
  await migrate(store)
  await insertAsBefore(store, calls(30).slice(20))
  t.equal((await insertViews(store, calls(40))).stored, 10, 'what was running still writes')
  const list = async (filter: MessageFilter) =>
    (await listMessages(store, { filter, order: 'asc', limit: 100 })).items.map(({ callId }) => callId)
  t.equal((await list({})).length, 40)
  for (const callId of ['call-7', 'call-25', 'call-35'])
    t.same(await list({ text: [`Call-ID: ${callId}\r`] }), [callId], 'in the text index or not')
  await t.rejects(migrate(store, older), /made by a newer version/, 'and is not started again on them')
})

t.test('pages one behind the other have every row once, in both directions', async (t) => {
  const store = await openTestStore(t)
  const views = [...calls(150), ...calls(150, start + day)]
  await insertViews(store, views)
  for (const order of ['asc', 'desc'] as const)
    for (const from of [undefined, '102']) {
      const wanted = views.filter(({ row }) => from === undefined || row.from.user === from)
      const found: string[] = []
      let after: RowKey | undefined
      do {
        const filter = from === undefined ? {} : { from: [from] }
        const page = await listMessages(store, { filter, order, limit: 37, after })
        found.push(...page.items.map(({ id }) => id))
        after = page.next ?? undefined
      } while (after !== undefined)
      const ids = wanted.map(({ record }) => record.id)
      t.same(found, order === 'asc' ? ids : ids.toReversed())
    }
})

t.test('a page goes on from the newest slots to the oldest, whatever clock a row had', async (t) => {
  const store = await openTestStore(t)
  const now = Date.now() * 1_000
  const hour = 3_600 * second
  const ages = [
    -2 * hour,
    -5 * second,
    0,
    0.5,
    1,
    2,
    9,
    21,
    29,
    30,
    31,
    45,
    900,
    990,
    1_000,
    1_010,
    5_000,
    5_001,
    5_002,
    40_000,
  ].map((age) => (age < 0 ? age : age * second))
  // Several at each moment, so that a page ends within one.
  const views = [...ages, 3 * day].flatMap((age, n) =>
    Array.from({ length: 3 }, (_, of) =>
      viewOf(sipRecordOf(sipText({ callId: `call-${n % 4}-${of}` }), { atMicros: now - age + of })),
    ),
  )
  await insertViews(store, views)
  const inOrder = views
    .toSorted((a, b) => a.record.atMicros - b.record.atMicros)
    .map(({ record }) => record.id)
  const read = async (query: Omit<Parameters<typeof listMessages>[1], 'after'>): Promise<string[]> => {
    const found: string[] = []
    let after: RowKey | undefined
    do {
      const page = await listMessages(store, { ...query, after })
      found.push(...page.items.map(({ id }) => id))
      after = page.next ?? undefined
    } while (after !== undefined)
    return found
  }
  for (const limit of [5, 100]) {
    t.same(await read({ filter: {}, order: 'desc', limit }), inOrder.toReversed())
    t.same(await read({ filter: {}, order: 'asc', limit }), inOrder)
    const since = now - 5_000 * second
    const behind = views.filter(({ record }) => record.atMicros >= since).length
    t.same(await read({ filter: {}, order: 'asc', since, limit }), inOrder.slice(-behind))
    t.same(await read({ filter: {}, order: 'desc', since, limit }), inOrder.slice(-behind).toReversed())
    t.same(
      await read({ filter: {}, order: 'desc', until: since, limit }),
      inOrder.slice(0, -behind).toReversed(),
    )
  }
  const callId = ['call-1-0', 'call-2-2']
  const wanted = new Set(
    views.filter(({ row }) => callId.includes(row.callId)).map(({ record }) => record.id),
  )
  t.same(
    await read({ filter: { callId }, order: 'desc', limit: 2 }),
    inOrder.filter((id) => wanted.has(id)).toReversed(),
  )
})

t.test('pages go on from much at once to little, and back, with what they learned of it', async (t) => {
  const store = await openTestStore(t)
  const ages = [
    ...Array.from({ length: 200 }, (_, n) => n * 0.001),
    ...Array.from({ length: 30 }, (_, n) => 600 + n * 900),
    ...Array.from({ length: 200 }, (_, n) => 40_000 + n * 0.001),
  ]
  const views = ages.map((age, n) =>
    viewOf(sipRecordOf(sipText({ callId: `call-${n}` }), { atMicros: start - Math.round(age * second) })),
  )
  await insertViews(store, views)
  const ids = views.map(({ record }) => record.id)
  for (const order of ['desc', 'asc', 'desc'] as const)
    for (const limit of [7, 60]) {
      const found: string[] = []
      let after: RowKey | undefined
      do {
        const page = await listMessages(store, { filter: {}, order, limit, after })
        found.push(...page.items.map(({ id }) => id))
        after = page.next ?? undefined
      } while (after !== undefined)
      t.same(found, order === 'desc' ? ids : ids.toReversed())
    }
})

t.test('a row that was stored twice is on a page once, and the page is full all the same', async (t) => {
  const store = await openTestStore(t)
  const views = calls(40, Date.now() * 1_000 - 40 * second)
  const packed = pack(views)
  for (let n = 0; n < 3; n++) await insertMessages(store, packed, packed.rows, { areNew: true })
  const ids = views.map(({ record }) => record.id).toReversed()
  for (const limit of [7, 39, 40, 100]) {
    const found: string[] = []
    let after: RowKey | undefined
    do {
      const page = await listMessages(store, { filter: {}, order: 'desc', limit, after })
      t.equal(page.items.length, Math.min(limit, ids.length - found.length))
      found.push(...page.items.map(({ id }) => id))
      after = page.next ?? undefined
    } while (after !== undefined)
    t.same(found, ids)
  }
})

t.test('a call of more slots than are listed, and Call-IDs of any length on a page', async (t) => {
  const store = await openTestStore(t)
  const long = Array.from({ length: 1_100 }, (_, n) =>
    viewOf(sipRecordOf(sipText({ callId: 'long' }), { atMicros: start + n * 10 * second })),
  )
  const wide = Array.from({ length: 40 }, (_, n) =>
    viewOf(sipRecordOf(sipText({ callId: `${n}`.padEnd(30_000, 'x') }), { atMicros: start + n })),
  )
  await insertViews(store, [...long, ...wide])
  const found = await listMessages(store, { filter: { callId: ['long'] }, order: 'asc', limit: 2_000 })
  t.same(
    found.items.map(({ id }) => id),
    long.map(({ record }) => record.id),
  )
  const page = await listMessages(store, { filter: {}, order: 'asc', limit: 41 })
  t.equal(page.items.length, 41)
  t.equal(page.items.filter(({ callId }) => callId.length === 30_000).length, 40)
})

t.test('a batch of thousands, and calls of the longest names, each asked for at once', async (t) => {
  const store = await openTestStore(t)
  const views = calls(6_000)
  t.equal((await insertViews(store, views)).stored, 6_000)
  t.same(await insertViews(store, views), { stored: 0, duplicates: 6_000 })
  const names = ['{limit:UInt32}', `{callIds:Array(String)}' OR 1 --`, '\\', `\\'`, 'a\0b', '\t\n', 'é€']
  const callIds = names.map((name, n) => `${name}${String(n).repeat(9_000 * n)}`)
  const hostile = callIds.map((callId, n) =>
    viewOf(sipRecordOf(sipText({ callId }), { atMicros: start + n })),
  )
  await insertViews(store, hostile)
  const wanted = hostile.map(({ row }) => row.callId)
  for (const repeats of [1, 40]) {
    const asked = Array.from({ length: repeats }, () => wanted).flat()
    const found = await readCallMessages(store, { callIds: asked, limit: 100 })
    t.same(
      found.map(({ callId }) => callId),
      wanted,
      `asked ${repeats} times`,
    )
  }
})

t.test('an export has every message once, in order of time; whole calls of a match too', async (t) => {
  const store = await openTestStore(t)
  const answers = calls(60).map(({ row }, n) =>
    viewOf(
      sipRecordOf(sipText({ startLine: 'SIP/2.0 486 Busy Here', callId: row.callId }), {
        atMicros: start + day + n * second,
      }),
    ),
  )
  const views = [...calls(60), ...answers]
  await insertViews(store, views)
  t.same(
    await exported(store, { filter: {}, wholeCalls: false }),
    views.map(({ record }) => record.id),
  )
  const some = { filter: { from: ['102'] }, wholeCalls: true }
  const wanted = views.filter((_, n) => (n % 60) % 7 === 2).map(({ record }) => record.id)
  t.same(await exported(store, some), wanted, 'the answers are from another user')
  t.equal(await countMessages(store, some), wanted.length)
  const early = { filter: {}, since: start + 10 * second, until: start + 20 * second, wholeCalls: false }
  t.equal((await exported(store, early)).length, 10)
})

async function exported(store: Store, query: ExportQuery): Promise<string[]> {
  const reader = new ExportReader(store, query)
  const ids: string[] = []
  for (let page = await reader.next(); page !== null; page = await reader.next())
    ids.push(...page.map(({ id }) => id))
  return ids
}

t.test('the call log of many calls: pages and numbers over all of them', async (t) => {
  const store = await openTestStore(t)
  const summaries = Array.from({ length: 90 }, (_, n) => summaryOf(n))
  await insertCalls(store, { summaries, tombstones: [], version: 1 })
  await insertCalls(store, { summaries, tombstones: [], version: 2 })
  const nowMicros = start + 3600 * second
  const found: string[] = []
  let after: RowKey | undefined
  do {
    const page = await listCalls(store, { filter: {}, order: 'desc', limit: 20, after, nowMicros })
    found.push(...page.items.map(({ callIds }) => callIds[0] ?? ''))
    after = page.next ?? undefined
  } while (after !== undefined)
  t.same(
    found,
    Array.from({ length: 90 }, (_, n) => `c${89 - n}`),
  )
  const stats = await readCallStats(store, {
    filter: {},
    since: start,
    until: nowMicros,
    bucketSeconds: 3600,
    nowMicros,
  })
  t.match(stats, { total: { calls: 90, answered: 45 } })
})

function summaryOf(n: number): CallSummary {
  const callId = `c${n}`
  const final = n % 2 === 0 ? ([500, 200, 'OK'] as const) : ([500, 486, 'Busy Here'] as const)
  const script = { callId, startMicros: start + n * second, final, bye: 10_000 }
  const summary = summariseCall(
    {
      call: {
        callIds: [callId],
        legs: [{ callId, channel: null, uniqueid: null, linkedid: null, link: 'asked' }],
        node: '',
        linkedids: [],
      },
      views: callMessages(script).map((record) => viewOf(record)),
      ends: [],
      capture: '',
      isTrunk: () => false,
    },
    { nowMicros: start + 3600 * second },
  )
  if (!summary) throw new Error(callId)
  return summary
}

t.test('registrations of many AORs, each with its messages', async (t) => {
  const store = await openTestStore(t)
  const views = Array.from({ length: 80 }, (_, n) =>
    viewOf(
      sipRecordOf(
        sipText({
          startLine: 'REGISTER sip:pbx SIP/2.0',
          cseq: `${n} REGISTER`,
          callId: `reg-${n % 20}`,
          to: `<sip:${n % 20}@pbx>`,
          extra: ['Contact: <sip:x@192.0.2.10>;expires=60'],
        }),
        { atMicros: start + n * second },
      ),
    ),
  )
  await insertViews(store, views)
  await insertViews(store, views)
  const { messages, truncated } = await readLatestRegisters(store, { since: start, until: start + day })
  t.equal(truncated, false)
  t.same(messages.map(({ id }) => id).toSorted(), views.map(({ record }) => record.id).toSorted())
})

t.test('what Asterisk told of a call comes back once and in order, however often it was told', async (t) => {
  const store = await openTestStore(t)
  const events = Array.from({ length: 50 }, (_, n) => ({
    v: 1 as const,
    kind: 'dial-begun' as const,
    node: 'pbx1',
    atMicros: start + n * second,
    channel: `PJSIP/b-${n}`,
    uniqueid: `u${n}`,
    linkedid: 'l1',
    dialingChannel: 'PJSIP/a-1',
    dialingUniqueid: 'u1',
    dialString: 'b',
  }))
  await insertCallEvents(store, events)
  await insertCallEvents(store, events)
  t.same(await readCallEvents(store, { node: 'pbx1', linkedids: ['l1'] }), events)
})

const scatter = (n: number) => (n * 2_654_435_761) % 4_294_967_296

t.test('a value is what it was, whatever it says, and never a part of the statement', async (t) => {
  const store = await openTestStore(t, { hasTables: false })
  const pieces = [
    "'",
    '\\',
    '\0',
    '\n',
    '\t',
    '{other:String}',
    '$&',
    '/*',
    '--',
    ';',
    'é',
    '\u{1f4de}',
    '"',
    '`',
    '%',
    '\x7f',
  ]
  const texts = Array.from({ length: 2_000 }, (_, n) =>
    Array.from({ length: n % 7 }, (_, k) => pieces[scatter(n * 31 + k) % pieces.length]).join(''),
  )
  const [row] = await store.query<{ texts: string[] }>('SELECT {texts:Array(String)} AS texts', {
    texts,
    other: "'; DROP TABLE messages; --",
  })
  t.same(row?.texts, texts)
  for (const text of texts.slice(0, 50))
    t.same(await store.query('SELECT {text:String} AS text', { text }), [{ text }])
  t.same(
    await store.query('SELECT {n:Int64} AS n, {small:UInt8} AS small, {id:UUID} = {same:UUID} AS isSame', {
      n: 1_795_391_929_000_000,
      small: 0,
      id: '00112233445566778899aabbccddeeff',
      same: '00112233-4455-6677-8899-aabbccddeeff',
    }),
    [{ n: 1_795_391_929_000_000, small: 0, isSame: 1 }],
  )
})

t.test('a statement that takes its time holds up no other', async (t) => {
  const store = await openTestStore(t)
  const order: string[] = []
  const slow = store
    .query('SELECT sum(sipHash64(number)) FROM numbers(60000000) SETTINGS max_threads = 1')
    .then(() => order.push('slow'))
  await insertViews(store, calls(20))
  const page = await listMessages(store, { filter: {}, order: 'asc', limit: 100 })
  order.push('page')
  t.equal(page.items.length, 20)
  await slow
  t.same(order, ['page', 'slow'])
})
