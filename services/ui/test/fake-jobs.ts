import type { IncomingMessage, ServerResponse } from 'node:http'
import {
  exportRequest,
  type ExportView,
  exportView,
  scheduleRequest,
  type ScheduleView,
  scheduleView,
} from '@sip-capture/contract/rest/export.ts'
import { type ImportView, importView } from '@sip-capture/contract/rest/import.ts'
import type { CallMessage } from '@sip-capture/contract/rest/message.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'

/** Exports, schedules and imports of the fake API. Jobs stand still until the test says how they go on. */
export interface FakeJobs {
  exports: ExportView[]
  schedules: ScheduleView[]
  imports: ImportView[]
  /** Uploaded bytes by import id. */
  readonly uploads: Map<string, { name: string; bytes: Buffer }>
  /** What an upload holds: told by the test; absent: the import waits. */
  onImport:
    | ((id: string, name: string) => { rows: readonly CallMessage[]; change: Partial<ImportView> })
    | null
  /** Answers uploads with this instead of taking them. */
  refuseImport: { status: number; message: string } | null
  change(id: string, part: Partial<ExportView>): void
}

let lastId = 0
const newId = () => (lastId += 1).toString(16).padStart(32, '0')
const now = () => toRfc3339(Date.now() * 1000)

export function anExport(part: Partial<ExportView> = {}): ExportView {
  return exportView.parse({
    id: newId(),
    name: '',
    state: 'waiting',
    progress: null,
    messages: 0,
    sizeBytes: 0,
    format: 'pcapng',
    mask: false,
    scheduleId: null,
    createdAt: now(),
    finishedAt: null,
    expiresAt: null,
    request: { filter: {} },
    ...part,
  })
}

export function anImport(part: Partial<ImportView> = {}): ImportView {
  return importView.parse({
    id: newId(),
    name: 'trace.pcap',
    state: 'waiting',
    progress: null,
    sizeBytes: 0,
    frames: 0,
    messages: 0,
    createdAt: now(),
    finishedAt: null,
    firstAt: null,
    lastAt: null,
    ...part,
  })
}

export function createFakeJobs(add: (rows: readonly CallMessage[]) => void): {
  jobs: FakeJobs
  answerJob: (request: IncomingMessage, path: string, response: ServerResponse) => Promise<void>
} {
  const jobs: FakeJobs = {
    exports: [],
    schedules: [],
    imports: [],
    uploads: new Map(),
    onImport: null,
    refuseImport: null,
    change(id, part) {
      jobs.exports = jobs.exports.map((one) => (one.id === id ? Object.assign(one, part) : one))
    },
  }

  async function answerJob(request: IncomingMessage, path: string, response: ServerResponse): Promise<void> {
    const [, collection, id, action] = path.split('/')
    if (collection === 'exports') answerExport(request.method, id, action, await readBody(request), response)
    else if (collection === 'export-schedules')
      answerSchedule(request.method, id, action, await readBody(request), response)
    else answerImport(request, id, await readBody(request), response)
  }

  function answerExport(
    method: string | undefined,
    id: string | undefined,
    action: string | undefined,
    body: Buffer,
    response: ServerResponse,
  ): void {
    if (id === undefined && method === 'POST') {
      const asked: unknown = JSON.parse(body.toString())
      const order = exportRequest.safeParse(asked)
      if (!order.success) return send(response, 400, { code: 'bad-request', message: order.error.message })
      const { name, format, mask } = order.data
      const view = anExport({ name, format, mask, request: { ...order.data } })
      jobs.exports.unshift(view)
      return send(response, 202, { id: view.id })
    }
    if (id === undefined) return send(response, 200, { items: jobs.exports })
    const view = jobs.exports.find((one) => one.id === id)
    if (view === undefined) return send(response, 404, { code: 'not-found', message: 'No such export.' })
    if (action === 'file') {
      response.writeHead(200, { 'content-disposition': 'attachment; filename="export-1.pcapng"' })
      response.end(Buffer.from('0a0d0d0a', 'hex'))
      return undefined
    }
    if (method !== 'DELETE') return send(response, 200, view)
    if (view.state === 'waiting' || view.state === 'active') view.state = 'cancelled'
    else jobs.exports = jobs.exports.filter((one) => one.id !== id)
    return send(response, 204)
  }

  function answerSchedule(
    method: string | undefined,
    id: string | undefined,
    action: string | undefined,
    body: Buffer,
    response: ServerResponse,
  ): void {
    if (id === undefined && method === 'GET') return send(response, 200, { items: jobs.schedules })
    const known = jobs.schedules.find((one) => one.id === id)
    if (id !== undefined && known === undefined)
      return send(response, 404, { code: 'not-found', message: 'No such schedule.' })
    if (method === 'DELETE') {
      jobs.schedules = jobs.schedules.filter((one) => one.id !== id)
      return send(response, 204)
    }
    if (action === 'run' && known !== undefined) {
      const run = anExport({ name: known.name, scheduleId: known.id, state: 'completed', messages: 7 })
      known.lastRun = run
      jobs.exports.unshift(run)
      return send(response, 202, { id: run.id })
    }
    const asked: unknown = JSON.parse(body.toString())
    const order = scheduleRequest.safeParse(asked)
    if (!order.success) return send(response, 400, { code: 'bad-request', message: order.error.message })
    const view = scheduleView.parse({
      ...order.data,
      id: known?.id ?? newId(),
      nextRunAt: order.data.paused ? null : toRfc3339((Date.now() + 3_600_000) * 1000),
      lastRun: known?.lastRun ?? null,
    })
    jobs.schedules =
      known === undefined
        ? [view, ...jobs.schedules]
        : jobs.schedules.map((one) => (one.id === view.id ? view : one))
    return send(response, known === undefined ? 201 : 200, view)
  }

  function answerImport(
    request: IncomingMessage,
    id: string | undefined,
    body: Buffer,
    response: ServerResponse,
  ): void {
    if (id === undefined && request.method === 'POST') {
      if (jobs.refuseImport !== null)
        return send(response, jobs.refuseImport.status, {
          code: 'refused',
          message: jobs.refuseImport.message,
        })
      const file = fileOf(body)
      const view = anImport({ name: file.name, sizeBytes: file.bytes.length })
      jobs.uploads.set(view.id, file)
      jobs.imports.unshift(view)
      const result = jobs.onImport?.(view.id, file.name)
      if (result !== undefined) {
        add(result.rows.map((row) => ({ ...row, source: 'import', capture: view.id })))
        Object.assign(view, result.change)
      }
      return send(response, 202, { id: view.id })
    }
    if (id === undefined) return send(response, 200, { items: jobs.imports })
    const view = jobs.imports.find((one) => one.id === id)
    if (view === undefined) return send(response, 404, { code: 'not-found', message: 'No such import.' })
    if (request.method !== 'DELETE') return send(response, 200, view)
    jobs.imports = jobs.imports.filter((one) => one.id !== id)
    return send(response, 204)
  }

  return { jobs, answerJob }
}

export const isJobPath = (path: string): boolean => /^\/(exports|export-schedules|imports)(\/|$)/.test(path)

/** The one part of a form upload. */
function fileOf(body: Buffer): { name: string; bytes: Buffer } {
  const headEnd = body.indexOf('\r\n\r\n')
  const head = body.subarray(0, headEnd).toString()
  const boundary = head.slice(0, head.indexOf('\r\n'))
  return {
    name: /filename="([^"]*)"/.exec(head)?.[1] ?? '',
    bytes: body.subarray(headEnd + 4, body.lastIndexOf(`\r\n${boundary}`)),
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of request) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function send(response: ServerResponse, status: number, body?: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' })
  response.end(body === undefined ? '' : JSON.stringify(body))
}
