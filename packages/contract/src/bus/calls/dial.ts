import { z } from 'zod'
import { callerText, channelHead, channelName, uniqueid } from './channel.ts'

/** `channel` is dialled; the dialling one is `''` where Asterisk itself dials (a call file, click to call). */
const dial = {
  ...channelHead,
  dialingChannel: channelName.default(''),
  dialingUniqueid: uniqueid.default(''),
}

export const dialBegun = z.object({ ...dial, kind: z.literal('dial-begun'), dialString: callerText })

export const dialEnded = z.object({
  ...dial,
  kind: z.literal('dial-ended'),
  /** Asterisk's DIALSTATUS: `ANSWER`, `BUSY`, `NOANSWER`, `CANCEL`, `CONGESTION`, `CHANUNAVAIL`. */
  status: z.string().max(64),
  /** Where the called party forwards to (302). */
  forward: callerText.default(''),
})

/** A transfer as Asterisk reports it. `channel` is the transferer's. */
export const transferred = z.object({
  ...channelHead,
  kind: z.literal('transferred'),
  transfer: z.enum(['blind', 'attended']),
  /** `Success`, `Fail`, `Invalid`, `Not Permitted`. */
  result: z.string().max(64),
  transfereeChannel: channelName.default(''),
  /** Attended: the transferer's other channel, and who was talked to on it. */
  secondChannel: channelName.default(''),
  targetChannel: channelName.default(''),
  /** Blind: the number and context dialled. */
  exten: callerText.default(''),
  context: callerText.default(''),
})
