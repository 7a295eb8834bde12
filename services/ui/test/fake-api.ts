import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import type { AddressInfo } from 'node:net'
import { followCalls } from '@sip-capture/contract/live-calls.ts'
import { clientFrame, type ServerFrame, serverFrame } from '@sip-capture/contract/live.ts'
import { type Resolution, resolution } from '@sip-capture/contract/rest/call-log.ts'
import { callStreamType } from '@sip-capture/contract/rest/call-stream.ts'
import {
  type CallMessage,
  messageDetail,
  type MessageFilter,
  messageFilter,
} from '@sip-capture/contract/rest/message.ts'
import { type SourcesAnswer, sourcesAnswer } from '@sip-capture/contract/rest/source.ts'
import { parseTime, toRfc3339 } from '@sip-capture/contract/time.ts'
import { type WebSocket, WebSocketServer } from 'ws'
import { z } from 'zod'
import { type CallGate, callLines } from './call-lines.ts'
import { createFakeCalls, type FakeCalls } from './fake-calls.ts'
import { createFakeJobs, type FakeJobs, isJobPath } from './fake-jobs.ts'
import { createFakeWatches, type FakeWatches } from './fake-watches.ts'
import { toObserved } from '../src/state/observed.ts'

/** A server that speaks the contract, for tests of the page alone: rows in memory, the same filter words, positions, gaps. */
export interface FakeApi {
  readonly port: number
  readonly url: string
  /** Rows that go to history and live feed. */
  add(rows: readonly CallMessage[]): void
  /** Rows that the live feed leaves out, with a gap in their place. */
  skip(rows: readonly CallMessage[]): void
  send(frame: ServerFrame): void
  /** Makes these Call-IDs the legs of one call. */
  link(callIds: readonly string[]): void
  /** What `GET /resolve` answers for this id; without it a Call-ID that is there is exact, all else nothing. */
  setResolution(id: string, answer: Resolution): void
  setSources(answer: SourcesAnswer): void
  /** Holds back, changes or cuts off what is told of a call. */
  setCallGate(gate: CallGate | undefined): void
  /** Ends every WebSocket, as a restart does. */
  dropClients(): void
  /** While false, new WebSockets are refused and REST answers 503. */
  setReachable(reachable: boolean): void
  /** What clients sent, newest last. */
  readonly received: ReturnType<typeof anyFrame.parse>[]
  readonly requests: string[]
  readonly jobs: FakeJobs
  readonly calls: FakeCalls
  readonly watches: FakeWatches
  clientCount(): number
  close(): Promise<void>
}

const anyFrame = z.discriminatedUnion('type', [...clientFrame.options, followCalls])

interface Client {
  readonly socket: WebSocket
  filter: MessageFilter
  paused: boolean
  sent: number
}

export const goodSources: SourcesAnswer = {
  items: [
    {
      kind: 'ami',
      node: 'pbx1',
      state: 'up',
      detail: 'Connected to Asterisk.',
      tap: 'hep',
      tapReason: 'HEP packets arrive, and they are exact',
      subject: 'Asterisk 22.10.1 at 192.0.2.10:5038',
      counters: { received: 1204, published: 1204, dropped: 0 },
      warnings: [],
      at: toRfc3339(Date.now() * 1000),
      startedAt: toRfc3339((Date.now() - 3_600_000) * 1000),
      lastMessageAt: toRfc3339(Date.now() * 1000),
      gaps: [],
      stale: false,
    },
    {
      kind: 'wire',
      node: 'pbx1',
      state: 'degraded',
      detail: 'Capturing, after tshark stopped and was started again.',
      subject: 'tshark 4.0.17 on any',
      counters: { received: 1190, published: 1190, dropped: 14 },
      warnings: ['tshark was restarted once'],
      at: toRfc3339(Date.now() * 1000),
      startedAt: toRfc3339((Date.now() - 3_600_000) * 1000),
      lastMessageAt: null,
      gaps: [
        {
          from: toRfc3339((Date.now() - 600_000) * 1000),
          to: toRfc3339((Date.now() - 598_500) * 1000),
          reason: 'tshark ended with code 255 and was restarted',
        },
      ],
      stale: false,
    },
  ],
  api: {
    redis: { ok: true, detail: '' },
    history: { ok: true, detail: 'embedded' },
    counters: { stored: 2394, duplicates: 0 },
    backlog: 0,
  },
}

export async function startFakeApi(options: { token?: string } = {}): Promise<FakeApi> {
  const stored: CallMessage[] = []
  const feed: (CallMessage | ServerFrame)[] = []
  const clients = new Set<Client>()
  const received: ReturnType<typeof anyFrame.parse>[] = []
  const requests: string[] = []
  const links: (readonly string[])[] = []
  const resolutions = new Map<string, Resolution>()
  const { jobs, answerJob } = createFakeJobs((rows) => stored.push(...rows))
  const { calls, answerCalls, follow, leave } = createFakeCalls()
  const { watches, answerWatch } = createFakeWatches((frame) => {
    for (const { socket } of clients) socket.send(JSON.stringify(serverFrame.parse(frame)))
  })
  let sources = goodSources
  let callGate: CallGate | undefined
  let reachable = true

  const server = createServer({ maxHeaderSize: 256 * 1024 }, (request: IncomingMessage, response) => {
    const url = new URL(request.url ?? '/', 'http://api')
    requests.push(request.url ?? '')
    if (!reachable) return json(response, 503, { code: 'away', message: 'The history is being opened.' })
    if (options.token !== undefined && request.headers.authorization !== `Bearer ${options.token}`)
      return json(response, 401, { code: 'unauthorized', message: 'A token is needed.' })
    const path = url.pathname.replace('/api/v1', '')
    if (path === '/sources') return json(response, 200, sourcesAnswer.parse(sources))
    if (answerCalls(path, url.searchParams, response) || answerWatch(request, path, response))
      return undefined
    if (path === '/messages') return answerMessages(url.searchParams, response)
    if (path === '/resolve')
      return json(response, 200, resolution.parse(resolve(url.searchParams.get('id') ?? '')))
    const pcap = /^\/calls\/([^/]+)\/pcap$/.exec(path)
    if (pcap) {
      response.writeHead(200, {
        'content-type': 'application/x-pcapng',
        'content-disposition': 'attachment; filename="call-1.pcapng"',
      })
      return response.end(Buffer.from('0a0d0d0a', 'hex'))
    }
    const call = /^\/calls\/([^/]+)\/stream$/.exec(path)
    if (call) return answerCall(decodeURIComponent(call[1] ?? ''), url.searchParams.get('capture'), response)
    const message = /^\/messages\/([^/]+)$/.exec(path)
    if (message) return answerMessage(message[1] ?? '', response)
    if (isJobPath(path)) return void answerJob(request, path, response)
    return json(response, 404, { code: 'not_found', message: 'No such route.' })
  })

  function answerMessages(params: URLSearchParams, response: ServerResponse) {
    const words: Record<string, string | string[]> = {}
    for (const name of Object.keys(messageFilter.shape))
      if (params.has(name)) words[name] = name === 'q' ? (params.get(name) ?? '') : params.getAll(name)
    const filter = messageFilter.parse(words)
    const since = parseTime(params.get('since') ?? '') ?? 0
    const until = parseTime(params.get('until') ?? '') ?? Number.MAX_SAFE_INTEGER
    const limit = Number(params.get('limit') ?? 100)
    const offset = Number(params.get('cursor') ?? 0)
    const sign = params.get('order') === 'asc' ? 1 : -1
    const found = stored
      .filter((row) => matches(row, filter))
      .filter((row) => (parseTime(row.at) ?? 0) >= since && (parseTime(row.at) ?? 0) < until)
      .sort((a, b) => (a.at < b.at ? -sign : a.at > b.at ? sign : 0))
    json(response, 200, {
      items: found.slice(offset, offset + limit).map(toTableRow),
      nextCursor: offset + limit < found.length ? String(offset + limit) : null,
    })
  }

  function resolve(id: string): Resolution {
    const isThere = stored.some((row) => row.callId === id && row.capture === null)
    return (
      resolutions.get(id) ?? {
        match: isThere ? 'exact' : 'none',
        callId: isThere ? id : null,
        candidates: [],
      }
    )
  }

  function answerCall(callId: string, capture: string | null, response: ServerResponse) {
    const callIds = links.find((linked) => linked.includes(callId)) ?? [callId]
    const rows = stored
      .filter((row) => callIds.includes(row.callId) && row.capture === capture)
      .sort((a, b) => (a.at < b.at ? -1 : 1))
    if (rows.length === 0) return json(response, 404, { code: 'not_found', message: 'No call with this id.' })
    response.writeHead(200, { 'content-type': callStreamType })
    const lines = Readable.from(callLines({ callId, callIds, rows, pinned: pinOf(callId) }, callGate), {
      objectMode: false,
    })
    lines.on('error', () => response.destroy())
    return lines.pipe(response)
  }

  function pinOf(callId: string) {
    const pin = watches.pinned.find((one) => one.callId === callId)
    return pin === undefined ? null : { at: pin.pinnedAt, by: pin.pinnedBy }
  }

  function answerMessage(id: string, response: ServerResponse) {
    const row = stored.find((one) => one.id === id)
    if (row === undefined) return json(response, 404, { code: 'not_found', message: 'No such message.' })
    const observed = toObserved(row)
    return json(
      response,
      200,
      messageDetail.parse({
        ...row,
        startLine: observed?.message.startLine ?? '',
        headers: observed?.message.headers ?? [],
        raw: Buffer.from(row.rawBase64, 'base64').toString('utf8'),
        body: '',
        frames: [],
      }),
    )
  }

  const wss = new WebSocketServer({
    noServer: true,
    handleProtocols: (offered) => (offered.has('sip-capture') ? 'sip-capture' : false),
  })
  server.on('upgrade', (request, socket, head) => {
    const token =
      options.token === undefined ? undefined : `token.${Buffer.from(options.token).toString('base64url')}`
    const offered = (request.headers['sec-websocket-protocol'] ?? '').split(/,\s*/)
    // Nobody reads it any more, and so nobody would see that its other end is gone.
    const refuse = (status: string) =>
      socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy())
    if (!reachable) return refuse('503 Service Unavailable')
    if (token !== undefined && !offered.includes(token)) return refuse('401 Unauthorized')
    return wss.handleUpgrade(request, socket, head, (ws) => accept(ws))
  })

  function accept(socket: WebSocket) {
    const client: Client = { socket, filter: {}, paused: false, sent: Number.POSITIVE_INFINITY }
    const push = (frame: ServerFrame) => socket.send(JSON.stringify(serverFrame.parse(frame)))
    push({
      type: 'hello',
      version: 'test',
      position: String(feed.length),
      serverTime: toRfc3339(Date.now() * 1000),
    })
    push({ type: 'source:status', ...sources })
    clients.add(client)
    socket.on('close', () => {
      clients.delete(client)
      leave(socket)
    })
    socket.on('message', (data: Buffer) => {
      const frame = anyFrame.parse(JSON.parse(data.toString()))
      received.push(frame)
      if (frame.type === 'subscribe') {
        client.filter = frame.filter
        client.paused = false
        client.sent = frame.since === undefined ? feed.length : Number(frame.since)
      } else if (frame.type === 'follow-calls') follow(socket, frame.filter)
      else if (frame.type === 'pause') client.paused = true
      else if (frame.type === 'resume') client.paused = false
      else push({ type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) })
      flush(client)
    })
  }

  /** Rows go out in batches of one kind, as the API sends them. */
  function flush(client: Client) {
    if (client.paused) return
    let batch: CallMessage[] = []
    const send = () => {
      const [first] = batch
      if (first === undefined) return
      client.socket.send(
        JSON.stringify({
          type: first.source === 'wire' ? 'sip:capture-packet' : 'sip:traffic',
          items: batch.map(toTableRow),
          position: String(client.sent),
        }),
      )
      batch = []
    }
    while (client.sent < feed.length) {
      const next = feed[client.sent]
      if (next === undefined) break
      const row = 'type' in next ? null : next
      if (
        row === null ||
        batch.length >= 250 ||
        (batch[0] && (batch[0].source === 'wire') !== (row.source === 'wire'))
      )
        send()
      client.sent += 1
      if ('type' in next) client.socket.send(JSON.stringify(next))
      else if (matches(next, client.filter)) batch.push(next)
    }
    send()
  }

  const flushAll = () => {
    for (const client of clients) flush(client)
  }

  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    requests,
    jobs,
    calls,
    watches,
    clientCount: () => clients.size,
    add(rows) {
      stored.push(...rows)
      feed.push(...rows)
      flushAll()
      const callIds = [...new Set(rows.map((row) => row.callId))].slice(0, 1000)
      for (const { socket } of clients) socket.send(JSON.stringify({ type: 'call:updated', callIds }))
    },
    skip(rows) {
      stored.push(...rows)
      const times = rows.map((row) => row.at).sort()
      const to = (parseTime(times.at(-1) ?? '') ?? 0) + 1
      feed.push({
        type: 'gap',
        from: times[0] ?? '',
        to: toRfc3339(to),
        missed: rows.length,
        reason: 'this browser was too slow for the traffic',
      })
      flushAll()
    },
    send(frame) {
      for (const { socket } of clients) socket.send(JSON.stringify(frame))
    },
    link(callIds) {
      links.push(callIds)
    },
    setResolution(id, answer) {
      resolutions.set(id, answer)
    },
    setCallGate(gate) {
      callGate = gate
    },
    setSources(answer) {
      sources = answer
      for (const { socket } of clients) socket.send(JSON.stringify({ type: 'source:status', ...answer }))
    },
    dropClients() {
      for (const { socket } of clients) socket.terminate()
    },
    setReachable(next) {
      reachable = next
    },
    close: () =>
      new Promise((resolve) => {
        for (const { socket } of clients) socket.terminate()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(JSON.stringify(body))
}

function toTableRow(row: CallMessage) {
  const { rawBase64: _, ...rest } = row
  return rest
}

const any = (values: readonly string[] | undefined, test: (value: string) => boolean) =>
  values === undefined || values.some(test)
const contains = (text: string) => (value: string) => text.toLowerCase().includes(value.toLowerCase())

function matches(row: CallMessage, filter: MessageFilter): boolean {
  const status = String(row.status ?? '')
  return (
    (filter.capture === undefined ? row.capture === null : filter.capture.includes(row.capture ?? '')) &&
    any(filter.callId, (value) => row.callId === value) &&
    any(filter.method, (value) => row.method === value) &&
    any(filter.status, (value) => (value.endsWith('xx') ? status[0] === value[0] : status === value)) &&
    any(filter.from, contains(`${row.from.displayName} ${row.from.uri}`)) &&
    any(filter.to, contains(`${row.to.displayName} ${row.to.uri}`)) &&
    any(filter.number, (value) => `${row.from.user} ${row.to.user}`.includes(value)) &&
    any(filter.trunk, (value) => row.trunk === value) &&
    any(filter.source, (value) => row.source === value) &&
    any(filter.text, contains(Buffer.from(row.rawBase64, 'base64').toString('utf8')))
  )
}
