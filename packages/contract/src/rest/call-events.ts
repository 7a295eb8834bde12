import { z } from 'zod'
import { callEvent } from '../bus/call-event.ts'

/** What Asterisk told of a call beside its messages, oldest first: legs, dials, bridges, transfers, RTCP. */
export const callEventsAnswer = z.object({ items: z.array(callEvent) })
