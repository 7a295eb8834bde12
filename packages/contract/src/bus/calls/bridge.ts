import { z } from 'zod'
import { channelHead, channelName, uniqueid } from './channel.ts'

/** A bridge as Asterisk describes it. `technology`: `simple_bridge`, `softmix`, `holding_bridge`, `native_rtp`;
 *  `creator`: the application, such as `ConfBridge` or `Parking`; `name`: the conference's or the parking lot's. */
const bridge = {
  bridge: z.string().max(256),
  technology: z.string().max(64).default(''),
  creator: z.string().max(64).default(''),
  name: z.string().max(256).default(''),
}

export const bridgeEntered = z.object({ ...channelHead, kind: z.literal('bridge-entered'), ...bridge })
export const bridgeLeft = z.object({ ...channelHead, kind: z.literal('bridge-left'), ...bridge })

/** Both halves of one Local channel; `channel` is the first (`;1`), which is dialled, the other runs the dialplan. */
export const localPair = z.object({
  ...channelHead,
  kind: z.literal('local-pair'),
  otherChannel: channelName,
  otherUniqueid: uniqueid,
})
