/**
 * Lets a message through once when two taps run at the same time. The n-th sighting by one tap is paired with the
 * nearest one of another tap that has no partner yet, within a tolerance: a retransmission has the same key but its own
 * time, so it pairs with its own twin and is never swallowed.
 */
export interface MessageGate<Tap extends string> {
  /** Undefined: no other tap has shown it, publish it. Else the tap that has. Times in epoch microseconds, of one clock;
   *  `toleranceMicros` is how far another sighting of this message may be; of two that differ, the wider one counts, whichever
   *  came first. */
  shownBy(tap: Tap, key: string, atMicros: number, toleranceMicros: number): Tap | undefined
}

interface Sighting<Tap> {
  readonly tap: Tap
  readonly atMicros: number
  readonly toleranceMicros: number
  /** Taps that have this message already. */
  readonly partners: Tap[]
}

const generationMillis = 10_000
/** So a message is remembered for 20 to 30 s. */
const keptGenerations = 3
const maxKeys = 50_000
const maxSightingsPerKey = 64

/** `nowMillis`: of a clock that nobody's stamps can move. */
export function createMessageGate<Tap extends string>(
  nowMillis: () => number = () => performance.now(),
): MessageGate<Tap> {
  // Newest first. To find single keys that are too old costs more than all else here, to forget the oldest generation nothing.
  let generations = [new Map<string, Sighting<Tap>[]>()]
  let newestSince = nowMillis()

  function sightingsOf(key: string): Sighting<Tap>[] {
    const [newest] = generations
    const holder = generations.find((generation) => generation.has(key))
    const sightings = holder?.get(key) ?? []
    if (holder !== newest) newest?.set(key, sightings)
    return sightings
  }

  function forget(): void {
    const now = nowMillis()
    const size = generations[0]?.size ?? 0
    if (now - newestSince < generationMillis && size < maxKeys / keptGenerations) return
    generations = [new Map(), ...generations.slice(0, keptGenerations - 1)]
    newestSince = now
  }

  return {
    shownBy(tap, key, atMicros, toleranceMicros) {
      forget()
      const sightings = sightingsOf(key)
      let nearest: Sighting<Tap> | undefined
      for (const sighting of sightings) {
        const apart = Math.abs(sighting.atMicros - atMicros)
        if (sighting.partners.includes(tap) || apart > Math.max(toleranceMicros, sighting.toleranceMicros))
          continue
        if (!nearest || apart < Math.abs(nearest.atMicros - atMicros)) nearest = sighting
      }
      if (nearest) {
        nearest.partners.push(tap)
        return nearest.tap
      }
      if (sightings.length >= maxSightingsPerKey) sightings.shift()
      sightings.push({ tap, atMicros, toleranceMicros, partners: [tap] })
      return undefined
    },
  }
}
