import type { SipMessage } from './message.ts'
import type { Sighting } from './sightings.ts'

/** Stamps lie a little: HEP cuts received ones to milliseconds, the history tap to seconds. A response that seems to
 *  come this much before its request came after it; more than that is another matter and left as it is. */
const stampErrorMicros = 1_500_000

const never = Number.POSITIVE_INFINITY

/** Place of a message in its transaction: the request, its answers, the ACK. */
function phase(message: SipMessage): number {
  if (message.kind === 'request') return message.method === 'ACK' ? 4 : 0
  const status = message.status ?? 0
  if (status <= 100) return 1
  return status < 200 ? 2 : 3
}

function exchangeKey(message: SipMessage): string {
  const method = message.method === 'ACK' ? 'INVITE' : message.method
  return `${message.callId}\0${message.fromTag}\0${message.cseq?.number ?? ''}\0${method}`
}

interface Placed {
  readonly sighting: Sighting
  readonly exchange: string
  readonly phase: number
  /** Its own time, or that of what must have come before it. */
  readonly afterMicros: number
}

/** Sightings by time, then by cause: an answer never stands before its request, nor an ACK before the answer it
 *  acknowledges, when only the coarseness of the stamps says so. Stable; nearly linear. */
export function orderCausally(sightings: readonly Sighting[]): Sighting[] {
  const firsts = new Map<string, number[]>()
  const exchanges = sightings.map(({ message }) => exchangeKey(message.message))
  for (const [index, { message }] of sightings.entries()) {
    const key = exchanges[index] ?? ''
    let first = firsts.get(key)
    if (first === undefined) {
      first = [never, never, never, never, never]
      firsts.set(key, first)
    }
    const at = phase(message.message)
    first[at] = Math.min(first[at] ?? never, message.atMicros)
  }
  const placed = sightings.map((sighting, index): Placed => {
    const { message, atMicros } = sighting.message
    const own = phase(message)
    const exchange = exchanges[index] ?? ''
    const first = firsts.get(exchange)
    let afterMicros = atMicros
    for (let before = 0; before < own; before++) {
      // Surely first are the request before any answer, and an answer before its ACK. That 100 comes before 180 is only
      // likely, and is trusted more than a stamp of whole seconds.
      if (before !== 0 && own !== 4 && sighting.message.source !== 'ami-history') continue
      const time = first?.[before] ?? never
      if (time > afterMicros && time - atMicros <= stampErrorMicros) afterMicros = time
    }
    return { sighting, exchange, phase: own, afterMicros }
  })
  placed.sort((a, b) => a.afterMicros - b.afterMicros)
  settleTies(placed)
  return placed.map(({ sighting }) => sighting)
}

/** Among equal times the messages of one exchange keep the places they have together, but stand in order of phase. */
function settleTies(placed: Placed[]): void {
  for (let start = 0; start < placed.length;) {
    let end = start + 1
    while (end < placed.length && placed[end]?.afterMicros === placed[start]?.afterMicros) end++
    if (end - start > 1) {
      const run = placed.slice(start, end)
      settleRun(run)
      for (const [index, one] of run.entries()) placed[start + index] = one
    }
    start = end
  }
}

function settleRun(run: Placed[]): void {
  const places = new Map<string, number[]>()
  for (const [index, { exchange }] of run.entries()) {
    const list = places.get(exchange)
    if (list) list.push(index)
    else places.set(exchange, [index])
  }
  const before = [...run]
  for (const indices of places.values()) {
    const sorted = indices
      .flatMap((index) => before[index] ?? [])
      .sort((a, b) => a.phase - b.phase || a.sighting.message.atMicros - b.sighting.message.atMicros)
    for (const [at, index] of indices.entries()) {
      const item = sorted[at]
      if (item) run[index] = item
    }
  }
}
