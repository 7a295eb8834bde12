import t from 'tap'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { startSummariser } from '../../src/calls/summariser.ts'
import { insertCallEvents } from '../../src/history/leg-store.ts'
import { readCallSpan } from '../../src/history/message-reader.ts'
import {
  completePins,
  countPins,
  findPin,
  listPins,
  pinCall,
  repairPins,
  unpinCall,
} from '../../src/history/pins/pin-store.ts'
import {
  findKeptCall,
  findKeptMessage,
  findKeptRecord,
  listKeptCalls,
  listKeptMessages,
  openKeptCall,
  readKeptEvents,
  resolveKeptCall,
} from '../../src/history/pins/pinned-reader.ts'
import { applyRetentionBytes, applyRetentionDays } from '../../src/history/retention.ts'
import type { Store } from '../../src/history/store.ts'
import { until } from '../api-under-test.ts'
import { callMessages, second } from '../calls/call-messages.ts'
import { insertViews, pack, viewOf } from '../message-view.ts'
import { openTestStore } from '../test-store.ts'

const day = 86_400 * second
const now = Math.floor(Date.now() / 1000) * second - 600 * second
/** Ten minutes ago, and so that what comes within two minutes is of the same day. */
const today = Math.min(now, Math.floor(now / day) * day + day - 120 * second)
const longAgo = today - 3 * day
const logger = createLogger({ name: 'test', level: 'silent' })

const busy = (callId: string, startMicros: number) =>
  callMessages({ callId, startMicros, ringing: 100, final: [600, 486, 'Busy Here'] })

const legOf = (callId: string, uniqueid: string): CallEvent => ({
  v: 1,
  kind: 'leg-linked',
  node: 'pbx1',
  atMicros: longAgo,
  channel: `PJSIP/${callId}-1`,
  uniqueid,
  linkedid: 'l1',
  callId,
  from: 'getvar',
  reason: '',
})
const dialled: CallEvent = {
  v: 1,
  kind: 'dial-begun',
  node: 'pbx1',
  atMicros: longAgo + second,
  channel: 'PJSIP/b-1',
  uniqueid: 'u2',
  linkedid: 'l1',
  dialingChannel: 'PJSIP/a-1',
  dialingUniqueid: 'u1',
  dialString: 'b',
}

async function open(t: { teardown(work: () => Promise<void>): void; testdir(): string }) {
  const store = await openTestStore(t)
  const summariser = startSummariser({
    store,
    isTrunk: () => false,
    onWritten: (callIds, capture) => completePins(store, { callIds, capture }),
    onNews: () => {},
    logger,
  })
  t.teardown(() => summariser.close())
  const add = async (records: ReturnType<typeof busy>) => {
    const views = records.map((record) => viewOf(record))
    await insertViews(store, views)
    summariser.markStoredCalls(pack(views).calls)
  }
  return { store, add }
}

const page = (store: Store) =>
  listKeptCalls(store, { filter: {}, order: 'desc', limit: 100, nowMicros: Date.now() * 1000 })
const logged = async (store: Store) => (await page(store)).items.map(({ callIds }) => callIds[0])
/** As the API reads a call: a span of its time after the other. */
async function messagesOf(store: Store, [id = '']: readonly string[]) {
  const { call, from, spans, first } = await openKeptCall(store, {
    id,
    max: 100,
    rows: { first: 2, others: 3 },
  })
  const found = [...first]
  for (const span of spans.slice(1))
    found.push(
      ...(await readCallSpan(store, { callIds: call.callIds, capture: '', from, ...span, limit: 100 })),
    )
  return found.map(({ record }) => record.id)
}

t.test(
  'a call that is kept survives retention with all that was known of it; when let go it is gone',
  async (t) => {
    const { store, add } = await open(t)
    await insertCallEvents(store, [legOf('a', 'u1'), legOf('b', 'u2'), dialled])
    await add([...busy('a', longAgo), ...busy('b', longAgo + 100_000)])
    await add(busy('same-day', longAgo + 60 * second))
    await add(busy('yesterday', today - day))
    await add(busy('now', today))
    await until(
      () => logged(store),
      (ids) => ids.length === 4,
    )
    const before = {
      call: await findKeptCall(store, { id: 'u2' }),
      ids: await messagesOf(store, ['a', 'b']),
      record: await findKeptRecord(store, { callIds: ['a', 'b'], capture: '' }),
      log: await logged(store),
    }
    t.equal(before.ids.length, 10)
    t.same(before.log, ['now', 'yesterday', 'same-day', 'a'])

    const outcome = await pinCall(store, { id: 'b', by: '', max: 1 })
    t.match(outcome, {
      pin: { id: before.record?.row.id, callId: 'a', pinnedBy: '', messages: 10, call: { legs: 2 } },
    })
    t.same(await pinCall(store, { id: 'u1', by: 'again', max: 1 }), outcome, 'twice is once')
    t.same(await pinCall(store, { id: 'now', by: '', max: 1 }), { problem: 'full' })
    t.same(await pinCall(store, { id: 'no such call', by: '', max: 9 }), { problem: 'none' })
    t.same(await logged(store), before.log, 'nothing is there twice')
    t.same(await messagesOf(store, ['a', 'b']), before.ids)

    t.equal((await applyRetentionBytes(store, 1)).length, 2, 'all days but the last are dropped')
    t.same(await logged(store), ['now', 'a'])
    t.same(await messagesOf(store, ['a', 'b']), before.ids, 'in the same order')
    t.same(await messagesOf(store, ['same-day']), [], 'the day is gone, the call is not')
    t.same(await findKeptRecord(store, { callIds: ['a', 'b'], capture: '' }), before.record)
    t.same(await findKeptRecord(store, { id: before.record?.row.id ?? '' }), before.record)
    for (const id of ['a', 'b', 'u1', 'u2', 'l1', 'PJSIP/a-1']) {
      const call = await findKeptCall(store, { id })
      t.same(call.callIds.toSorted(), ['a', 'b'], id)
      t.same(call.linkedids, ['l1'])
      t.match(
        call.legs.toSorted((x, y) => x.callId.localeCompare(y.callId)),
        before.call.legs,
      )
      t.same(await readKeptEvents(store, call), [dialled])
      t.match(await resolveKeptCall(store, { id }), { match: id.length === 1 ? 'exact' : 'linked' })
    }
    const [firstId] = before.ids
    t.equal((await findKeptMessage(store, firstId ?? ''))?.record.id, firstId)
    const asked = { order: 'asc', limit: 3 } as const
    const first = await listKeptMessages(store, { ...asked, filter: { callId: ['a', 'b'] } })
    t.equal(first.items.length, 3)
    const { items } = await listKeptMessages(store, {
      order: 'asc',
      limit: 100,
      filter: { callId: ['a', 'b'] },
      after: first.next ?? undefined,
    })
    t.same(
      [...first.items, ...items].map(({ id }) => id),
      before.ids,
      'page by page',
    )
    t.equal((await listKeptMessages(store, { ...asked, filter: { q: 'text:"486 busy"' } })).items.length, 3)

    const [pin] = await listPins(store)
    t.notOk(await unpinCall(store, 'f'.repeat(32)))
    t.ok(await unpinCall(store, pin?.id ?? ''))
    t.notOk(await unpinCall(store, pin?.id ?? ''), 'it is no longer kept')
    t.same(await logged(store), ['now'])
    t.same(await messagesOf(store, ['a', 'b']), [])
    t.equal(await findKeptMessage(store, firstId ?? ''), undefined)
    t.same(await findKeptCall(store, { id: 'a' }).then(({ legs }) => legs.map(({ link }) => link)), ['asked'])
    t.equal(await countPins(store), 0)
  },
)

t.test('what a kept call gets later is kept too, and it outlives RETENTION_DAYS', async (t) => {
  const { store, add } = await open(t)
  const all = busy('runs', today)
  await add(all.slice(0, 3))
  await add(busy('other', today + second))
  await until(
    () => logged(store),
    (ids) => ids.length === 2,
  )
  await pinCall(store, { id: 'runs', by: 'a watch', max: 5 })
  t.match(await listPins(store), [{ messages: 3, pinnedBy: 'a watch', call: { state: 'ringing' } }])
  await add(all.slice(3))
  await until(
    () => listPins(store),
    ([pin]) => pin?.messages === all.length && pin.call?.state === 'busy',
  )

  await applyRetentionDays(store, 1)
  for (const table of ['messages', 'callSlots', 'calls'])
    await store.define(
      store.tables.alter(
        table,
        'UPDATE storedAt = now() - INTERVAL 3 DAY WHERE 1 SETTINGS mutations_sync = 1',
      ),
    )
  // Whole parts go; once all that is in them is too old.
  await until(
    async () => {
      for (const table of ['messages', 'callSlots', 'calls'])
        await store.define(`OPTIMIZE TABLE ${store.tables.holderOf(table)} FINAL`)
      return await messagesOf(store, ['other'])
    },
    (ids) => ids.length === 0,
  )
  t.equal((await messagesOf(store, ['runs'])).length, all.length)
  t.same(await logged(store), ['runs'])
})

t.test('a crash between the mark and the copy is made good', async (t) => {
  const { store, add } = await open(t)
  await add(busy('torn', today))
  await until(
    () => logged(store),
    (ids) => ids.length === 1,
  )
  let left = 1
  const dying: Store = {
    ...store,
    command: (sql, params) => {
      left -= 1
      return left < 0 ? Promise.reject(new Error('killed')) : store.command(sql, params)
    },
  }
  await t.rejects(pinCall(dying, { id: 'torn', by: '', max: 5 }), { message: 'killed' })
  t.match(await findPin(store, { names: ['torn'], capture: '' }), { messages: 0 })
  await repairPins(store)
  t.match(await listPins(store), [{ messages: 5, call: { callIds: ['torn'] } }])
})

t.test('pages of two tables go on in the order of the engine, whatever ids fall together', async (t) => {
  const { store, add } = await open(t)
  // All at one moment: only ids tell them apart.
  const records = Array.from({ length: 60 }, (_, n) =>
    callMessages({ callId: `t${n}`, startMicros: longAgo, final: [0, 486, 'Busy Here'], ack: false }),
  )
    .flat()
    .map((record) => ({ ...record, atMicros: longAgo }))
  await add(records)
  for (let n = 0; n < 60; n += 2) await pinCall(store, { id: `t${n}`, by: '', max: 100 })
  const read = async () => {
    const ids: string[] = []
    let after: { atMicros: number; id: string } | undefined
    for (;;) {
      const found = await listKeptMessages(store, { filter: {}, order: 'asc', limit: 7, after })
      ids.push(...found.items.map(({ id }) => id))
      if (!found.next) return ids
      after = found.next
    }
  }
  const ids = await read()
  t.equal(ids.length, records.length)
  t.equal(new Set(ids).size, records.length)
  const rows = await store.query<{ id: string }>(
    'SELECT lower(hex(messages.id)) AS id FROM messages ORDER BY at, messages.id',
  )
  t.same(
    ids,
    rows.map(({ id }) => id),
  )
})
