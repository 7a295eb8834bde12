import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Service } from './processes.ts'
import { batchMessages, startSidecar, type Bus } from './system.ts'
import { pcapHeader, type TrafficLoop } from './traffic-loop.ts'

const tickMillis = 10
const maxChunkMessages = 2_000

/** A sidecar that reads frames from a named pipe. */
export interface PipedSidecar {
  readonly service: Service
  /** Frames as in a pcap file; waits while the pipe is full. */
  write(frames: Buffer): Promise<void>
  /** The pipe ends: the sidecar has read all, sooner or later. */
  end(): void
  stop(): Promise<void>
}

export async function startPipedSidecar(bus: Bus, folder: string): Promise<PipedSidecar> {
  const path = join(folder, 'frames.pcap')
  await once(spawn('mkfifo', [path]), 'exit')
  const starting = startSidecar(bus, { TSHARK_INTERFACE: path, TSHARK_PORT: '5060' })
  const pipe = createWriteStream(path)
  pipe.write(pcapHeader)
  const service = await starting
  return {
    service,
    async write(frames) {
      if (!pipe.write(frames)) await once(pipe, 'drain')
    },
    end: () => pipe.end(),
    async stop() {
      pipe.destroy()
      await service.stop()
    },
  }
}

/** Frames of now at an even rate until `signal`. Answers how many. */
export async function feedSidecar(
  sidecar: PipedSidecar,
  bus: Bus,
  loop: TrafficLoop,
  { perSecond, maxWaiting, signal }: { perSecond: number; maxWaiting: number; signal: AbortSignal },
): Promise<number> {
  const startedAt = performance.now()
  let sent = 0
  while (!signal.aborted) {
    const due = Math.floor(((performance.now() - startedAt) / 1_000) * perSecond) - sent
    // Counted in full entries: above this history does not keep up, and more would only pile up.
    if (due > 0 && (await bus.waiting()) * batchMessages <= maxWaiting) {
      const count = Math.min(due, maxChunkMessages)
      await sidecar.write(loop.take(count, Date.now() * 1_000, 1))
      sent += count
    }
    await pause(tickMillis)
  }
  return sent
}
