import { importView, type ImportView } from '@sip-capture/contract/rest/import.ts'
import { z } from 'zod'

/** An import as kept in Redis. */
export const importRecord = importView.extend({
  /** Of the try that may write to this record. */
  attempt: z.string().default(''),
})
export type ImportRecord = z.output<typeof importRecord>

export function toImportView(record: ImportRecord): ImportView {
  return importView.parse(record)
}
