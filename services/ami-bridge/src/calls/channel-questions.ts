import { field } from '../ami/block.ts'
import type { AmiConnection } from '../ami/connection.ts'

/**
 * Asks Asterisk about a channel by Getvar: its answer holds one value that no caller chose, and carries our own ActionID.
 * Lists such as CoreShowChannels hold callers' names beside the ids, and a name can forge a line.
 */
export interface ChannelQuestions {
  /** Null: no such channel. Undefined: no answer to this, or too many questions wait. */
  readonly getvar: (channel: string, variable: ChannelVariable) => Promise<string | null | undefined>
  readonly counters: Readonly<Record<string, number>>
}

/**
 * No more than these: each is read under the channel's lock and is never null. `CHANNEL(appname)` and `CHANNEL(appdata)` are
 * looked at before the lock is taken, and an Asterisk that is asked while the channel ends crashes (22.10: a null string in
 * func_channel.c, once in some thousand short calls).
 */
export type ChannelVariable = 'BRIDGEPEER' | `CHANNEL(${'uniqueid' | 'linkedid' | 'state' | 'pjsip,call-id'})`

/** AMI answers one action after the other: more than this on their way only delays the history tap's. */
const maxAsking = 96
const maxWaiting = 20_000

export function createChannelQuestions(ami: Pick<AmiConnection, 'request'>): ChannelQuestions {
  const counters = { questions: 0, questions_dropped: 0 }
  const waiting: (() => void)[] = []
  let asking = 0

  async function turn(): Promise<boolean> {
    if (asking < maxAsking) {
      asking += 1
      return true
    }
    if (waiting.length >= maxWaiting) {
      counters.questions_dropped += 1
      return false
    }
    await new Promise<void>((resolve) => waiting.push(resolve))
    return true
  }

  return {
    async getvar(channel, variable) {
      if (!(await turn())) return undefined
      counters.questions += 1
      const answer = await ami.request('Getvar', [
        ['Channel', channel],
        ['Variable', variable],
      ])
      const next = waiting.shift()
      if (next) next()
      else asking -= 1
      if (answer.ok) return field(answer.block, 'Value')
      return answer.reason === 'error' && /no such channel/i.test(answer.message) ? null : undefined
    },
    counters,
  }
}
