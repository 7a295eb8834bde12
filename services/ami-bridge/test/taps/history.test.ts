import t from 'tap'
import { createLogger } from '@sip-capture/service/logger.ts'
import type { AmiAnswer } from '../../src/ami/connection.ts'
import { createHistoryTap, type HistoryMessage } from '../../src/taps/history.ts'
import { type HistoryCursor, noCursor } from '../../src/taps/history-cursor.ts'
import { until } from '../running-bridge.ts'

const output = (...lines: string[]): AmiAnswer => ({
  ok: true,
  events: [],
  block: { kind: 'response', name: 'Success', fields: [], output: lines, isTruncated: false },
})
const fields = (...list: [string, string][]): AmiAnswer => ({
  ok: true,
  events: [],
  block: { kind: 'response', name: 'Success', fields: list, output: [], isTruncated: false },
})

/** Asterisk's history as its commands show it. */
function createAsterisk() {
  const state = { entries: [] as string[], isUp: true, start: '06:00:00', connects: 1, clears: 0 }
  const gone: AmiAnswer = { ok: false, reason: 'disconnected', message: 'gone' }
  const counters = { events: 0, answers: 0, timeouts: 0, suspect: 0, oversized: 0, malformed: 0 }
  return {
    state,
    ami: {
      get isUp() {
        return state.isUp
      },
      get counters() {
        return { ...counters, connects: state.connects }
      },
      request: (action: string) => {
        if (!state.isUp) return Promise.resolve(gone)
        return Promise.resolve(
          action === 'Ping'
            ? fields(['Timestamp', (Date.now() / 1000).toFixed(6)])
            : fields(['CoreStartupDate', '2026-11-23'], ['CoreStartupTime', state.start]),
        )
      },
      command: (command: string) => {
        if (!state.isUp) return Promise.resolve(gone)
        const position = /entry (\d+)/.exec(command)?.[1]
        if (position !== undefined) {
          const text = state.entries[Number(position)]
          if (text === undefined) return Promise.resolve(output(`Entry '${position}' does not exist`))
          const seconds = Math.floor(Date.now() / 1000)
          return Promise.resolve(
            output(
              `<--- History Entry ${position} Received from 10.0.0.2:5060 at ${seconds} --->`,
              ...text.split('\n'),
            ),
          )
        }
        if (command.endsWith('clear')) {
          state.clears += 1
          state.entries = []
        }
        return Promise.resolve(output('PJSIP History enabled'))
      },
    },
  }
}

function createTap(
  asterisk: ReturnType<typeof createAsterisk>,
  cursor: { value: HistoryCursor } = { value: noCursor },
  limits = {},
) {
  const messages: HistoryMessage[] = []
  const gaps: string[] = []
  const tap = createHistoryTap({
    ami: asterisk.ami,
    node: 'test',
    store: {
      load: () => Promise.resolve(cursor.value),
      save: (next) => {
        cursor.value = next
        return Promise.resolve()
      },
      recentIds: () => Promise.resolve(new Set(messages.map((message) => message.id))),
    },
    logger: createLogger({ name: 'test', level: 'silent' }),
    onMessage: (message) => void messages.push(message),
    onGap: (gap) => void gaps.push(gap.reason),
    flush: () => Promise.resolve(),
    isBusy: () => false,
    limits: { activeMillis: 5, idleMillis: 5, verifyMillis: 20, ...limits },
  })
  return { tap, messages, gaps, cursor }
}

t.test('started while AMI is away, it reads once AMI is back', async (t) => {
  const asterisk = createAsterisk()
  asterisk.state.isUp = false
  asterisk.state.entries = ['OPTIONS sip:a SIP/2.0\r\n']
  const { tap, messages } = createTap(asterisk)
  tap.start()
  await new Promise((resolve) => setImmediate(resolve))
  asterisk.state.isUp = true
  tap.start()
  await until('it is read', () => messages.length === 1)
  await tap.stop()
  t.equal(asterisk.state.clears, 1)
})

t.test(
  'entries on a quiet Asterisk are cleared beyond the bound, each is read once, and no gap is claimed',
  async (t) => {
    const asterisk = createAsterisk()
    const { tap, messages, gaps } = createTap(asterisk, undefined, { clearQuietEntries: 10, quietMillis: 30 })
    tap.start()
    for (let i = 0; i < 3; i++) {
      asterisk.state.entries.push(...Array.from({ length: 12 }, () => 'OPTIONS sip:same SIP/2.0\r\n'))
      await until('it is cleared', () => asterisk.state.clears === i + 1)
    }
    t.equal(messages.length, 36)
    t.equal(
      new Set(messages.map((message) => message.id)).size,
      36,
      'the same bytes at the same place have an id of their own each time',
    )
    t.same(gaps, [])
    await tap.stop()
  },
)

t.test('an Asterisk that is never quiet is cleared all the same, and the risk is told', async (t) => {
  const asterisk = createAsterisk()
  const { tap, messages, gaps } = createTap(asterisk, undefined, { clearAnywayEntries: 20 })
  asterisk.state.entries.push(...Array.from({ length: 50 }, (_, i) => `OPTIONS sip:${i} SIP/2.0\r\n`))
  tap.start()
  await until('it is cleared', () => asterisk.state.clears > 0)
  t.equal(messages.length, 50)
  t.match(gaps, [/cleared under traffic/])
  await tap.stop()
})

t.test('a history that somebody else cleared is noticed, and the gap is told', async (t) => {
  const asterisk = createAsterisk()
  const { tap, messages, gaps } = createTap(asterisk)
  asterisk.state.entries = ['OPTIONS sip:1 SIP/2.0\r\n', 'OPTIONS sip:2 SIP/2.0\r\n']
  tap.start()
  await until('both are read', () => messages.length === 2)
  asterisk.state.entries = ['OPTIONS sip:3 SIP/2.0\r\n']
  await until('the new one is read', () => messages.length === 3)
  t.match(gaps, [/cleared by somebody else/])
  await tap.stop()
})

t.test('read again after a kill, undecided entries get the ids and the times they had', async (t) => {
  const asterisk = createAsterisk()
  asterisk.state.entries = ['OPTIONS sip:1 SIP/2.0\r\n', 'OPTIONS sip:2 SIP/2.0\r\n']
  const before = createTap(asterisk)
  before.tap.start()
  await until('both are read', () => before.cursor.value.next === 2)
  const [first, second] = before.messages
  // As the killed bridge would have left it: dates decided, nothing confirmed.
  const pending = before.messages.map(({ atMicros, precisionMicros }, position) => ({
    position,
    atMicros,
    precisionMicros,
  }))
  const after = createTap(asterisk, { value: { ...before.cursor.value, next: 0, lastId: '', pending } })
  after.tap.start()
  await until('both are read again', () => after.messages.length === 2)
  t.same(
    after.messages.map(({ id, atMicros }) => [id, atMicros]),
    [first, second].map((message) => [message?.id, message?.atMicros]),
  )
  await after.tap.stop()
  await before.tap.stop()
})
