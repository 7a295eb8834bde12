import { randomBytes } from 'node:crypto'
import {
  optionAnswer,
  type OptionAnswer,
  type OptionRequest,
  type WantedOption,
} from '@sip-capture/contract/bus/option-request.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import type { Redis } from 'ioredis'

export type OptionReply = Pick<OptionAnswer, 'values' | 'problem'>

export interface OptionValues {
  /** What Asterisk says now, within a second; without an answer no values and the reason. Never rejects. */
  ask(node: string, endpoint: string, options: readonly WantedOption[]): Promise<OptionReply>
  close(): void
}

const patienceMillis = 1_000
/** A call that goes on is fetched each second, by every browser that has it open. */
const freshMillis = 2_000
const maxWaiting = 64
const maxKept = 256
const maxAnswerBytes = 1024 * 1024

/** Asks the bridges over Redis. Ends with the connection `subscriber`, which is its own. */
export function createOptionValues(options: {
  redis: Redis
  subscriber: Redis
  keys: BusKeys
}): OptionValues {
  const { redis, subscriber, keys } = options
  const waiting = new Map<string, (answer: OptionAnswer) => void>()
  const kept = new Map<string, { until: number; reply: Promise<OptionReply> }>()
  let isListening = false

  subscriber.on('message', (_channel: string, text: string) => {
    const answer = parseAnswer(text)
    if (answer !== undefined) waiting.get(answer.id)?.(answer)
  })
  const listen = () =>
    void subscriber.subscribe(keys.optionAnswers).then(
      () => (isListening = true),
      () => {},
    )
  subscriber.on('ready', listen)
  subscriber.on('close', () => (isListening = false))
  if (subscriber.status === 'ready') listen()

  async function ask(node: string, endpoint: string, wanted: readonly WantedOption[]): Promise<OptionReply> {
    if (!isListening) return nothing('Redis does not answer')
    if (waiting.size >= maxWaiting) return nothing('too many questions wait for the bridge')
    const id = randomBytes(16).toString('hex')
    const request: OptionRequest = { v: 1, id, endpoint, options: [...wanted] }
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise<OptionReply>((resolve) => {
        const giveUp = (why: string) => resolve(nothing(why))
        timer = setTimeout(
          () => giveUp(`the bridge of ${node} did not answer within ${patienceMillis / 1000} s`),
          patienceMillis,
        )
        waiting.set(id, (answer) => {
          if (answer.node === node && answer.endpoint === endpoint) resolve(answer)
        })
        redis.publish(keys.optionRequests(node), JSON.stringify(request)).then(
          (listeners) => listeners === 0 && giveUp(`no bridge of ${node} is running`),
          () => giveUp('Redis does not answer'),
        )
      })
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
    }
  }

  return {
    ask(node, endpoint, wanted) {
      const key = JSON.stringify([node, endpoint, wanted.map(({ object, option }) => [object, option])])
      const now = performance.now()
      const known = kept.get(key)
      if (known !== undefined && known.until > now) return known.reply
      const reply = ask(node, endpoint, wanted)
      kept.delete(key)
      if (kept.size >= maxKept)
        for (const oldest of kept.keys()) {
          kept.delete(oldest)
          break
        }
      kept.set(key, { until: now + freshMillis, reply })
      return reply
    },
    close: () => subscriber.disconnect(),
  }
}

const nothing = (problem: string): OptionReply => ({ values: [], problem })

function parseAnswer(text: string): OptionAnswer | undefined {
  if (text.length > maxAnswerBytes) return undefined
  try {
    return optionAnswer.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
