import { z } from 'zod'
import { jobState } from './export.ts'

/** An uploaded capture file: a named capture, searchable with `GET /messages?capture={id}`, deleted as a whole. */
export const importView = z.object({
  /** 32 hex digits, random; the value of `capture` in filters. */
  id: z.string(),
  /** The uploaded file's name, for people. */
  name: z.string(),
  state: jobState,
  progress: z.number().min(0).max(1).nullable(),
  sizeBytes: z.number(),
  frames: z.number(),
  messages: z.number(),
  /** Why it failed, or what part could not be read; what could be read is kept. */
  error: z.string().optional(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  firstAt: z.string().nullable(),
  lastAt: z.string().nullable(),
})
export type ImportView = z.infer<typeof importView>
