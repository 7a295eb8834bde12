import t from 'tap'
import { toSlot } from '@sip-capture/contract/bus/record-id.ts'
import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { toMessageQuery } from '@sip-capture/contract/search/message-query.ts'
import { listMessages } from '../../src/history/message-page.ts'
import { InsertMemory, insertMessages } from '../../src/history/message-writer.ts'
import type { Store } from '../../src/history/store.ts'
import { findTextSlots } from '../../src/history/text-index/text-index-reader.ts'
import { asksText, toTextNeeds, type TextNeeds } from '../../src/history/text-index/text-needs.ts'
import type { MessageView } from '../../src/ingest/message-row.ts'
import { insertViews, pack, viewOf } from '../message-view.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'
import { openTestStore } from '../test-store.ts'

const second = 1_000_000
const hour = 3_600 * second
/** Where a span of each length begins. */
const start = Math.floor(1_795_391_929 / 3_600) * hour
const everywhere = { first: 0, last: 0xffff_ffff }

const needsOf = (filter: MessageFilter): TextNeeds | undefined =>
  toTextNeeds(toMessageQuery(filter, { nowMicros: start }))

/** As often the same for the same seed. */
function createRandom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
    return (state >>> 8) % below
  }
}

function messagesOf(
  count: number,
  { from, step, seed }: { from: number; step: number; seed: number },
): MessageView[] {
  const random = createRandom(seed)
  const hex = (digits: number) => Array.from({ length: digits }, () => random(16).toString(16)).join('')
  return Array.from({ length: count }, (_, n) => {
    const text = sipText({
      callId: `${hex(8)}-${hex(12)}@example.org`,
      branch: `z9hG4bK${hex(16)}`,
      from: `"Zoë ${hex(3)}" <sip:+49 (30) ${random(1_000_000)}@example.org>;tag=${hex(8)}`,
      extra: [`X-Bytes: `],
    })
    const bytes = Uint8Array.from({ length: 12 }, () => random(256))
    return viewOf(
      sipRecordOf(Buffer.concat([Buffer.from(text), bytes]), { atMicros: from + Math.floor(n * step) }),
    )
  })
}

async function find(store: Store, filter: MessageFilter): Promise<string[]> {
  const page = await listMessages(store, { filter, order: 'asc', limit: 500 })
  return page.items.map(({ id }) => id)
}

t.test(
  'whatever part of a message is asked for, the message is found, and with it all that have the part',
  async (t) => {
    const store = await openTestStore(t)
    const batches = [
      messagesOf(300, { from: start, step: 40 * second, seed: 1 }),
      messagesOf(300, { from: start + 600 * second, step: second / 50, seed: 2 }),
      messagesOf(300, { from: start + hour, step: 10, seed: 3 }),
      ...Array.from({ length: 30 }, (_, n) =>
        messagesOf(1, { from: start + 30 * hour + n * second, step: 0, seed: 100 + n }),
      ),
    ]
    for (const batch of batches) await insertViews(store, batch)
    const views = batches.flat()
    const random = createRandom(7)
    let alone = 0
    for (let n = 0; n < 150; n++) {
      const view = views[random(views.length)] as MessageView
      const { text } = view
      const from = random(text.length - 5)
      const part = text.slice(from, from + 5 + random(25))
      const word = random(2) === 0 ? part : part.replaceAll(/[a-z]/g, (letter) => letter.toUpperCase())
      // Bytes that are not UTF-8 are asked for as they are shown; letters outside ASCII as they are written.
      const folded = word.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
      const wanted = views.filter((one) =>
        one.text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase()).includes(folded),
      )
      if (wanted.length > 500) continue
      if (wanted.length === 1) alone += 1
      const ids = wanted
        .toSorted((a, b) => a.record.atMicros - b.record.atMicros)
        .map(({ record }) => record.id)
      t.same((await find(store, { text: [word] })).toSorted(), ids.toSorted(), JSON.stringify(word))
    }
    t.ok(alone > 20, `of one message alone: ${alone}`)
  },
)

t.test('a page from its edge on has each row once, however common what is asked for is', async (t) => {
  const store = await openTestStore(t)
  const views = [
    ...messagesOf(200, { from: start - 48 * hour, step: 600 * second, seed: 1 }),
    ...messagesOf(600, { from: start + 3 * second, step: second / 5, seed: 2 }),
    ...messagesOf(40, { from: start + 123 * second, step: second / 200, seed: 3 }),
  ]
  await insertViews(store, views)
  const words = [
    'example.org',
    'tag=1',
    'tag=1a',
    'tag=1a2',
    'z9hg4bk3',
    'z9hg4bk3f',
    '+49 (30) 12',
    '+49 (30) 9',
  ]
  const rare = (views[250] as MessageView).row.branch.toLowerCase()
  for (const word of [...words, rare])
    for (const order of ['asc', 'desc'] as const) {
      const found = views.filter(({ text }) => text.toLowerCase().includes(word))
      const wanted = (order === 'asc' ? found : found.toReversed()).map(({ record }) => record.id)
      for (const limit of [1, 7, 60, 150, 500]) {
        const since = order === 'asc' ? start : undefined
        const ids = order === 'asc' ? idsSince(found, start) : wanted
        for (const filter of [{ text: [word] }, { text: [word], q: 'method:INVITE' }]) {
          const page = await listMessages(store, { filter, order, limit, since })
          t.same(
            page.items.map(({ id }) => id),
            ids.slice(0, limit),
            `${word} ${order} ${limit}`,
          )
        }
      }
    }
})

const idsSince = (views: readonly MessageView[], micros: number): string[] =>
  views.filter(({ record }) => record.atMicros >= micros).map(({ record }) => record.id)

t.test('a message without a gram is stored, and found by what is not asked of the index', async (t) => {
  const store = await openTestStore(t)
  const view = viewOf(sipRecordOf(Buffer.from('\0abc'), { atMicros: start }))
  t.equal((await insertViews(store, [view])).stored, 1)
  t.same(await find(store, { text: ['ABC'] }), [view.record.id])
  t.same(await find(store, { text: ['abc and more'] }), [])
})

t.test('a number is found however it is written', async (t) => {
  const store = await openTestStore(t)
  const views = [
    ['<sip:+493012345@example.org>', 'K'],
    ['<tel:+49-30-12345>', 'A'],
    ['<sip:\u212a12345@example.org>', 'B'],
  ].map(([from = '', name], n) =>
    viewOf(
      sipRecordOf(sipText({ from: `${from};tag=${name}`, callId: `call-${n}` }), {
        atMicros: start + n * second,
      }),
    ),
  )
  await insertViews(store, views)
  for (const number of ['+493012345', '93012345', '\u212a12345', 'k1234', '49-30-123', '000000'])
    t.same(
      await find(store, { number: [number] }),
      views
        .filter((view) => view.numbers.some((one) => one.includes(number.toLowerCase().replace(/^\+/, ''))))
        .map(({ record }) => record.id),
      number,
    )
})

t.test('what is nowhere is not looked for, and what is somewhere only there', async (t) => {
  const store = await openTestStore(t)
  const days = 3
  const views = messagesOf(days * 144 * 4, { from: start, step: 150 * second, seed: 5 })
  await insertViews(store, views)
  const slotsOf = async (filter: MessageFilter, range = everywhere) => {
    const needs = needsOf(filter)
    if (needs === undefined) throw new Error('the index knows nothing of it')
    return await findTextSlots(store, needs, range)
  }
  t.same(await slotsOf({ text: ['no-such-word-anywhere'] }), [])
  t.same(await slotsOf({ text: ['no-such-word-anywhere', 'nor-this-one-here'] }), [])
  const one = views[777] as MessageView
  const slot = toSlot(one.record.atMicros)
  const span = Math.floor(slot / 60) * 60
  const where = { text: [one.row.branch] }
  t.same(
    await slotsOf(where),
    Array.from({ length: 60 }, (_, n) => span + n),
  )
  t.same(await slotsOf(where, { first: slot - 1, last: slot + 1 }), [slot - 1, slot, slot + 1])
  t.same(await slotsOf(where, { first: span + 60, last: everywhere.last }), [])
  t.same(await slotsOf(where, { first: 0, last: span - 1 }), [])
  t.same(await slotsOf({ q: `text:"${one.row.branch}" -text:"${one.row.branch}"` }), await slotsOf(where))
  t.equal(await slotsOf({ text: ['example.org'] }), undefined, 'it is nearly anywhere')
})

for (const [perSecond, slots, bits] of [
  [1, 60, 15],
  [100, 60, 20],
  [1_000, 6, 20],
  [2_000, 1, 20],
] as const)
  t.test(`spans are the shorter, the more comes: ${perSecond}/s`, async (t) => {
    const store = await openTestStore(t)
    await insertViews(store, messagesOf(2_000, { from: start, step: second / perSecond, seed: 9 }))
    const spans = await store.query(
      'SELECT DISTINCT slots, intDiv(word, 65536) AS bits FROM textIndex ORDER BY slots, bits',
    )
    t.same(spans, [{ slots, bits }])
  })

for (const [isRemembered, slots] of [
  [true, [6, 60]],
  [false, [60]],
] as const)
  t.test(
    `small batches of much are as one large, if what came before is known: ${isRemembered}`,
    async (t) => {
      const store = await openTestStore(t)
      const views = messagesOf(4_000, { from: start, step: second / 400, seed: 9 })
      let memory = new InsertMemory()
      for (let at = 0; at < views.length; at += 100) {
        if (!isRemembered) memory = new InsertMemory()
        const packed = pack(views.slice(at, at + 100))
        await insertMessages(store, packed, packed.rows, { memory })
      }
      const spans = await store.query<{ slots: number }>(
        'SELECT DISTINCT slots FROM textIndex ORDER BY slots',
      )
      t.same(
        spans.map((span) => span.slots),
        slots,
      )
    },
  )

t.test('whether a query asks the text', async (t) => {
  const cases: [MessageFilter, boolean][] = [
    [{}, false],
    [{ method: ['INVITE'], q: 'status:4xx number:49*' }, false],
    [{ text: ['a'] }, true],
    [{ q: 'word' }, true],
    [{ q: 'branch:z9hG4bK1' }, true],
    [{ q: 'method:INVITE -(status:200 OR -text:word)' }, true],
  ]
  for (const [filter, asks] of cases)
    t.equal(asksText(toMessageQuery(filter, { nowMicros: start })), asks, JSON.stringify(filter))
})

t.test('what a query needs', async (t) => {
  const cases: [MessageFilter, TextNeeds | undefined][] = [
    [{}, undefined],
    [{ method: ['INVITE'] }, undefined],
    [{ text: ['abcd'] }, undefined],
    [{ text: ['ABCde'] }, [['abcde']]],
    [{ text: ['größe'] }, [['größe']]],
    [{ text: ['first', 'abc'] }, undefined],
    [{ text: ['first', 'second'] }, [['first'], ['second']]],
    [{ text: ['first'], q: 'second' }, [['second', 'first']]],
    [{ text: ['first'], q: '-second' }, [['first']]],
    [{ text: ['first'], q: 'method:INVITE OR second' }, [['first']]],
    [{ text: ['a\ufffdbcdefg\ufffdhijkl'] }, [['bcdefg', 'hijkl']]],
    [{ q: 'first*abc*second' }, [['first', 'second']]],
    [{ q: '+4930123' }, [['+4930123'], ['4930123']]],
    [{ q: '4930123' }, [['4930123']]],
    [{ number: ['+4930123'] }, [['4930123']]],
    [{ q: 'number:49*30123' }, [['30123']]],
    [{ q: 'branch:z9hG4bK1*,z9hG4bK2' }, [['z9hg4bk1'], ['z9hg4bk2']]],
    [{ q: 'from:alice' }, undefined],
    [{ text: Array.from({ length: 9 }, (_, n) => `word-${n}`) }, undefined],
  ]
  for (const [filter, needs] of cases) t.same(needsOf(filter), needs, JSON.stringify(filter))
  const many = needsOf({
    text: ['first', 'second'],
    q: '(third OR fourth) (fifth OR sixth) (seventh OR eighth)',
  })
  t.equal(many?.length, 8, 'more than eight alternatives are not asked')
})
