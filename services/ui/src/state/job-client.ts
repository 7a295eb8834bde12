import {
  type ExportView,
  exportView,
  type ScheduleView,
  scheduleView,
} from '@sip-capture/contract/rest/export.ts'
import { importView, type ImportView } from '@sip-capture/contract/rest/import.ts'
import { z } from 'zod'
import { type ApiResult, getJson, sendJson } from './api-client.ts'

/** Jobs of the API: exports, their schedules, imports. Lists are newest first. */
const created = z.object({ id: z.string() })
const done = z.unknown()
const listOf = <T extends z.ZodType>(item: T) => z.object({ items: z.array(item) })

const exportList = listOf(exportView)
const scheduleList = listOf(scheduleView)
const importList = listOf(importView)

/** Words of a filter as the contract has them, not yet parsed; `q` is one text. */
export type FilterWords = Readonly<Record<string, string | readonly string[]>>

/** Body of `POST /exports`. */
export interface ExportOrder {
  readonly filter: FilterWords
  readonly format: 'pcapng' | 'pcap'
  readonly mask: boolean
  readonly wholeCalls: boolean
  readonly name: string
  /** RFC 3339 or epoch microseconds, as text. */
  readonly since?: string
  readonly until?: string
}

/** Body of `POST /export-schedules`. */
export interface ScheduleOrder {
  readonly filter: FilterWords
  readonly format: 'pcapng' | 'pcap'
  readonly mask: boolean
  readonly wholeCalls: boolean
  readonly name: string
  readonly cron: string
  readonly timeZone: string
  readonly window: string
  readonly keep: number
  readonly paused: boolean
}

export const jobPath = {
  export: (id: string) => `/exports/${encodeURIComponent(id)}`,
  exportFile: (id: string) => `/exports/${encodeURIComponent(id)}/file`,
  schedule: (id: string) => `/export-schedules/${encodeURIComponent(id)}`,
  import: (id: string) => `/imports/${encodeURIComponent(id)}`,
}

export const listExports = () => getJson('/exports', exportList)
export const listSchedules = () => getJson('/export-schedules', scheduleList)
export const listImports = () => getJson('/imports', importList)
export const readExport = (id: string): Promise<ApiResult<ExportView>> =>
  getJson(jobPath.export(id), exportView)
export const readImport = (id: string): Promise<ApiResult<ImportView>> =>
  getJson(jobPath.import(id), importView)
export const createExport = (order: ExportOrder) => sendJson('POST', '/exports', order, created)
export const createSchedule = (order: ScheduleOrder) => sendJson('POST', '/export-schedules', order, done)
export const updateSchedule = (id: string, order: ScheduleOrder) =>
  sendJson('PUT', jobPath.schedule(id), order, done)
export const runSchedule = (id: string) => sendJson('POST', `${jobPath.schedule(id)}/run`, undefined, done)
export const removeJob = (path: string) => sendJson('DELETE', path, undefined, done)

/** The states in which a job still changes by itself. */
export function isGoingOn(job: Pick<ExportView | ImportView, 'state'>): boolean {
  return job.state === 'waiting' || job.state === 'active'
}

/** What an export was asked for, as a body to ask for the same again. Times come back as epoch microseconds. */
export function orderOf(view: ExportView): ExportOrder {
  const { since, until, filter, wholeCalls } = view.request
  return {
    filter: filterOf(filter),
    format: view.format,
    mask: view.mask,
    wholeCalls: wholeCalls === true,
    name: view.name,
    ...timeOf('since', since),
    ...timeOf('until', until),
  }
}

/** A schedule as the body that would make it. */
export function orderOfSchedule(schedule: ScheduleView): ScheduleOrder {
  const { name, cron, timeZone, window, keep, format, mask, wholeCalls, paused } = schedule
  return {
    name,
    cron,
    timeZone,
    window,
    keep,
    format,
    mask,
    wholeCalls,
    paused,
    filter: filterOf(schedule.filter),
  }
}

function timeOf(name: 'since' | 'until', value: unknown): { since?: string; until?: string } {
  return typeof value === 'string' || typeof value === 'number' ? { [name]: String(value) } : {}
}

const storedFilter = z.object({ q: z.string().exactOptional() }).catchall(z.array(z.string()))

/** A stored filter, of whatever shape, as words. */
export function filterOf(value: unknown): FilterWords {
  const parsed = storedFilter.safeParse(value)
  return parsed.success ? parsed.data : {}
}
