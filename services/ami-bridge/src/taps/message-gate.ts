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

const keepMicros = 20_000_000
const maxKeys = 50_000
const maxSightingsPerKey = 64

export function createMessageGate<Tap extends string>(): MessageGate<Tap> {
  const seen = new Map<string, Sighting<Tap>[]>()

  function expire(nowMicros: number): void {
    for (const [key, sightings] of seen) {
      const last = sightings.at(-1)
      const isFresh = last !== undefined && Math.abs(nowMicros - last.atMicros) < keepMicros
      if (isFresh && seen.size <= maxKeys) return
      seen.delete(key)
    }
  }

  return {
    shownBy(tap, key, atMicros, toleranceMicros) {
      const sightings = seen.get(key) ?? []
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
      // The map keeps the order of insertion: the least recently used key is first.
      seen.delete(key)
      seen.set(key, sightings)
      expire(atMicros)
      return undefined
    },
  }
}
