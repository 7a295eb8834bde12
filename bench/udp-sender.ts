import { createSocket } from 'node:dgram'
import { setTimeout as pause } from 'node:timers/promises'

const tickMillis = 10

/** Datagrams to a loopback port at an even rate, in ticks of 10 ms. Answers how many were sent. */
export async function sendDatagrams(options: {
  port: number
  perSecond: number
  seconds: number
  next: () => Uint8Array
}): Promise<number> {
  const { port, perSecond, seconds, next } = options
  const socket = createSocket('udp4')
  const total = Math.round(perSecond * seconds)
  const startedAt = performance.now()
  let sent = 0
  while (sent < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1_000) * perSecond))
    for (; sent < due; sent++) socket.send(next(), port, '127.0.0.1')
    await pause(tickMillis)
  }
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return sent
}

/** Takes what comes to a free loopback port and throws it away, so that nobody answers "unreachable". */
export async function openSink(): Promise<{ port: number; close(): void }> {
  const socket = createSocket('udp4')
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  return { port: socket.address().port, close: () => socket.close() }
}
