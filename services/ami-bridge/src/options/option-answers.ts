import { optionRequest, type OptionAnswer } from '@sip-capture/contract/bus/option-request.ts'
import type { BusKeys } from '@sip-capture/contract/keys.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import type { Redis } from 'ioredis'
import type { AmiConnection } from '../ami/connection.ts'
import { readCurrentOptions } from './current-options.ts'

export interface OptionAnswers {
  readonly counters: Readonly<Record<string, number>>
  close(): void
}

/** Asterisk answers one action after the other, and the history tap asks as well. */
const maxAsking = 4
const maxRequestBytes = 64 * 1024

/** Answers what the API asks about the options of an endpoint. Only names that Asterisk itself listed are asked for, so
 *  that no text of a caller's reaches AMI. Ends with the connection `subscriber`, which is its own. */
export function answerOptionRequests(options: {
  redis: Redis
  subscriber: Redis
  keys: BusKeys
  node: string
  ami: Pick<AmiConnection, 'request' | 'command' | 'isUp' | 'failure'>
  isEndpoint: (name: string) => boolean
  logger: Logger
}): OptionAnswers {
  const { redis, subscriber, keys, node, ami, isEndpoint, logger } = options
  const counters = { option_requests: 0, option_requests_refused: 0 }
  let asking = 0

  const refuse = (problem: string) => {
    counters.option_requests_refused += 1
    return { values: [], problem }
  }
  const find = async (endpoint: string, wanted: Parameters<typeof readCurrentOptions>[2]) => {
    if (!ami.isUp) return refuse(ami.failure?.sentence ?? 'the bridge is not connected to Asterisk')
    if (!isEndpoint(endpoint)) return refuse('Asterisk lists no endpoint of that name')
    if (asking >= maxAsking) return refuse('too many questions wait for Asterisk')
    asking += 1
    try {
      return await readCurrentOptions(ami, endpoint, wanted)
    } finally {
      asking -= 1
    }
  }

  async function onRequest(text: string): Promise<void> {
    const request = parseRequest(text)
    if (request === undefined) {
      counters.option_requests_refused += 1
      return
    }
    counters.option_requests += 1
    const { id, endpoint } = request
    const { values, problem } = await find(endpoint, request.options)
    const answer: OptionAnswer = {
      v: 1,
      id,
      node,
      endpoint,
      atMicros: nowMicros(),
      values,
      problem: problem.slice(0, 500),
    }
    await redis.publish(keys.optionAnswers, JSON.stringify(answer))
  }

  subscriber.on('message', (_channel: string, text: string) => {
    // Without an answer the API says "unknown"; nothing else hangs on it.
    onRequest(text).catch((error: Error) => logger.debug({ reason: error.message }, 'an answer was not sent'))
  })
  // Redis may be away at first; later ioredis subscribes again by itself.
  const subscribe = () => void subscriber.subscribe(keys.optionRequests(node)).catch(() => {})
  subscriber.on('ready', subscribe)
  if (subscriber.status === 'ready') subscribe()
  return { counters, close: () => subscriber.disconnect() }
}

function parseRequest(text: string) {
  if (text.length > maxRequestBytes) return undefined
  try {
    return optionRequest.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
