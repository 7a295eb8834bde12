import { z } from 'zod'
import { maxMicros } from '../../time.ts'

/** Asterisk's ids are 149 bytes at most (AST_MAX_UNIQUEID); a channel name is 79, longer with Local's `@context`. */
export const uniqueid = z.string().max(150)
export const channelName = z.string().max(512)
/** Text that a caller may have chosen: shown, never believed. */
export const callerText = z.string().max(256)

export const eventHead = {
  v: z.literal(1),
  node: z.string().max(256),
  atMicros: z.int().min(0).max(maxMicros),
}

/** Every event of a channel says which one, and by `linkedid` of which call. */
export const channelHead = {
  ...eventHead,
  channel: channelName,
  uniqueid,
  linkedid: uniqueid,
}
