import { z } from 'zod'
import { parseTime } from '../time.ts'

/** RFC 3339 with zone, or epoch microseconds → epoch microseconds. */
export const timeParam = z.string().transform((text, context) => {
  const micros = parseTime(text)
  if (micros === undefined) {
    context.addIssue({
      code: 'custom',
      message: 'a time as RFC 3339 with a zone (2026-11-23T05:41:50Z) or epoch microseconds',
    })
    return z.NEVER
  }
  return micros
})

export const limitParam = z
  .string()
  .regex(/^\d{1,4}$/, 'a whole number from 1 to 1000')
  .transform(Number)
  .pipe(z.int().min(1).max(1000))
  .default(100)

export const pageQuery = z.strictObject({
  /** At or after. */
  since: timeParam.optional(),
  /** Before. */
  until: timeParam.optional(),
  order: z.enum(['asc', 'desc']).default('desc'),
  limit: limitParam,
  /** From `nextCursor` of the page before. */
  cursor: z.string().min(1).max(512).optional(),
})

/** `nextCursor` null: the last page. */
export const page = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() })

/** Every error of the REST interface. */
export const errorBody = z.object({
  code: z.string(),
  message: z.string(),
  issues: z
    .array(
      z.object({
        path: z.string(),
        message: z.string(),
        /** Of a search: which characters, and what to put there. */
        at: z.number().optional(),
        length: z.number().optional(),
        suggestion: z.string().optional(),
      }),
    )
    .optional(),
})
export type ErrorBody = z.infer<typeof errorBody>
