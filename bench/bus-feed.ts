import { setTimeout as pause } from 'node:timers/promises'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { encodeRecords } from '@sip-capture/contract/codec.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { Pipeline } from '@sip-capture/capture-sidecar/pipeline.ts'
import { batchMessages, type Bus } from './system.ts'
import { pcapHeader, TrafficLoop } from './traffic-loop.ts'

const { capture } = createBusKeys()
const tickMillis = 10
const chunkMessages = 5_000

/** Records of endless dialogs, made of frames as the sidecar makes them. */
export class RecordLoop {
  readonly #loop: TrafficLoop
  readonly #pipeline: Pipeline
  #records: SipRecord[] = []

  constructor(messages: number, seed = 7) {
    this.#loop = new TrafficLoop(messages, { seed })
    this.#pipeline = new Pipeline({
      node: 'bench',
      isSipPort: (port) => port === 5060,
      ownAddresses: () => ({ exact: new Set(), addresses: new Set(['192.0.2.10']) }),
      isLive: true,
      publish: (record) => this.#records.push(record),
    })
    this.#pipeline.push(pcapHeader)
  }

  take(count: number, atMicros: number, stepMicros: number): SipRecord[] {
    this.#records = []
    this.#pipeline.push(this.#loop.take(count, atMicros, stepMicros))
    return this.#records
  }

  *spread(messages: number, startMicros: number, stepMicros: number): Generator<SipRecord> {
    for (let done = 0; done < messages; done += chunkMessages)
      yield* this.take(Math.min(chunkMessages, messages - done), startMicros + done * stepMicros, stepMicros)
  }
}

/** Puts messages of now on the bus at an even rate, as a sidecar does. Answers how many. */
export async function feedBus(
  bus: Bus,
  records: RecordLoop,
  { perSecond, seconds }: { perSecond: number; seconds: number },
): Promise<number> {
  const total = Math.round(perSecond * seconds)
  const startedAt = performance.now()
  let sent = 0
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond))
    if (due > sent) {
      const batch = records.take(Math.min(due - sent, chunkMessages), Date.now() * 1_000, 1)
      const pipeline = bus.client.pipeline()
      for (let at = 0; at < batch.length; at += batchMessages)
        pipeline.xadd(capture, '*', ...encodeRecords(batch.slice(at, at + batchMessages)))
      await pipeline.exec()
      sent += batch.length
    }
    await pause(tickMillis)
  }
  return sent
}
