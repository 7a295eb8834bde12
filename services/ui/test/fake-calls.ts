import { EventEmitter, once } from 'node:events'
import type { ServerResponse } from 'node:http'
import {
  type CallRow,
  callFilter,
  callRow,
  type CallStats,
  callStats,
} from '@sip-capture/contract/rest/call-log.ts'
import type { DirectoryEntry } from '@sip-capture/contract/rest/directory.ts'
import { toCallQuery } from '@sip-capture/contract/search/call-query.ts'
import type { CallField } from '@sip-capture/contract/search/fields.ts'
import { SearchError, type Query, type Test } from '@sip-capture/contract/search/query.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'
import type { WebSocket } from 'ws'

/** The call log of the fake API: rows in memory, the search language over the fields that the tests ask for. */
export interface FakeCalls {
  /** New or changed rows, told to who follows. */
  set(...rows: readonly CallRow[]): void
  remove(id: string): void
  clear(): void
  /** The next page is read when it is asked for, and sent when it may pass. */
  hold(): { readonly asked: Promise<unknown>; pass(): void }
  /** What `GET /stats` answers. */
  stats: CallStats | null
  directory: DirectoryEntry[]
}

function tell(socket: WebSocket, items: readonly CallRow[], removed: readonly string[]) {
  socket.send(JSON.stringify({ type: 'call:updated', callIds: [], items, removed, missed: 0 }))
}

export function createFakeCalls() {
  const rows = new Map<string, CallRow>()
  const followers = new Map<WebSocket, (row: CallRow) => boolean>()
  let held: { onAsked: () => void; passed: Promise<unknown> } | undefined
  const calls: FakeCalls = {
    stats: null,
    directory: [],
    set(...changed) {
      for (const row of changed) rows.set(row.id, callRow.parse(row))
      for (const [socket, matches] of followers)
        tell(
          socket,
          changed.filter(matches),
          changed.filter((row) => !matches(row)).map(({ id }) => id),
        )
    },
    remove(id) {
      rows.delete(id)
      for (const socket of followers.keys()) tell(socket, [], [id])
    },
    clear() {
      rows.clear()
    },
    hold() {
      const gate = new EventEmitter()
      const [asked, passed] = [once(gate, 'asked'), once(gate, 'passed')]
      held = { onAsked: () => gate.emit('asked'), passed }
      return { asked, pass: () => gate.emit('passed') }
    },
  }

  function follow(socket: WebSocket, filter: { q?: string | undefined } | null) {
    if (filter === null) followers.delete(socket)
    else followers.set(socket, compile(filter.q))
  }

  /** True when the path is ours, and answered. */
  function answerCalls(path: string, params: URLSearchParams, response: ServerResponse): boolean {
    const send = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(body))
    }
    if (path === '/endpoints') send(200, { items: calls.directory })
    else if (path === '/stats') send(200, callStats.parse(calls.stats))
    else if (path === '/calls') {
      const limit = Number(params.get('limit') ?? 100)
      const since = toRfc3339(parseTime(params.get('since') ?? '') ?? 0)
      const until = toRfc3339(parseTime(params.get('until') ?? '') ?? 9_000_000_000_000_000)
      try {
        const matches = compile(params.get('q') ?? undefined)
        const found = [...rows.values()]
          .filter((row) => matches(row) && row.startedAt >= since && row.startedAt < until)
          .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))
        const offset = found.findIndex(({ id }) => id === params.get('cursor')) + 1
        const page = {
          items: found.slice(offset, offset + limit),
          nextCursor: offset + limit < found.length ? (found[offset + limit - 1]?.id ?? null) : null,
        }
        const waits = held
        held = undefined
        waits?.onAsked()
        if (waits === undefined) send(200, page)
        else void waits.passed.then(() => send(200, page))
      } catch (error) {
        if (!(error instanceof SearchError)) throw error
        const { problem } = error
        send(400, {
          code: 'bad-query',
          message: `q: ${problem.message}`,
          issues: [{ path: 'q', ...problem }],
        })
      }
    } else return false
    return true
  }
  return { calls, answerCalls, follow, leave: (socket: WebSocket) => followers.delete(socket) }
}

function compile(q: string | undefined): (row: CallRow) => boolean {
  const query = toCallQuery(callFilter.parse(q === undefined ? {} : { q }), { nowMicros: Date.now() * 1000 })
  return (row) => holds(query, row)
}

function holds(query: Query<CallField>, row: CallRow): boolean {
  if (query.type === 'all') return query.terms.every((term) => holds(term, row))
  if (query.type === 'any') return query.terms.some((term) => holds(term, row))
  if (query.type === 'not') return !holds(query.term, row)
  return valuesOf(query.field, row).some((value) => passes(query.test, value))
}

function valuesOf(field: CallField, row: CallRow): (string | number)[] {
  switch (field) {
    case 'state':
      return [row.state]
    case 'code':
      return row.code === null ? [] : [row.code]
    case 'trunk':
      return row.trunks
    case 'verdict':
      return [...row.ruleIds, row.verdict?.title ?? '']
    case 'severity':
      return row.verdict === null ? [] : [row.verdict.severity]
    case 'text':
    case 'number':
      return [row.from.number, row.from.name, row.to.number, row.to.name]
    default:
      throw new Error(`the fake call log does not know ${field}`)
  }
}

function passes(test: Test, value: string | number): boolean {
  if (test.op === 'equals') return value === test.text
  if (test.op === 'contains') return String(value).toLowerCase().includes(test.text.toLowerCase())
  if (test.op === 'range')
    return Number(value) >= (test.from ?? 0) && Number(value) < (test.until ?? Infinity)
  throw new Error(`the fake call log does not know ${test.op}`)
}
