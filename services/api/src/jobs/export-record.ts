import { exportView, type ExportView } from '@sip-capture/contract/rest/export.ts'
import { messageFilter } from '@sip-capture/contract/rest/message.ts'
import { z } from 'zod'

/** An export as kept in Redis. */
export const exportRecord = exportView.extend({
  filter: messageFilter,
  since: z.number().optional(),
  until: z.number().optional(),
  wholeCalls: z.boolean(),
  /** Below EXPORT_DIR; made by us alone. */
  file: z.string().regex(/^(?:[\w-][\w.-]*\/)*[\w-][\w.-]*$/),
  /** What a browser saves it as. */
  downloadName: z.string(),
  /** Of the try that may write to this record. */
  attempt: z.string().default(''),
})
export type ExportRecord = z.output<typeof exportRecord>

export function toExportView(record: ExportRecord): ExportView {
  return exportView.parse(record)
}

/** A file name that is safe everywhere: a name of people may hold anything. */
export function toSafeName(name: string): string {
  const safe = name
    .normalize('NFKD')
    .replaceAll(/[^\w.-]+/g, '-')
    .replaceAll(/\.{2,}/g, '.')
    .replaceAll(/^[-._]+|[-._]+$/g, '')
    .slice(0, 64)
  return safe === '' ? 'sip-export' : safe
}

/** `2026-11-23T05:41:50.123456Z` → `20261123T054150Z` */
export function toStamp(time: string): string {
  return `${time.slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}
