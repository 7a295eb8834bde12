/** Time in stretches: history keeps what belongs to one side by side, and the id of a record tells which one it is in. */
export const slotSeconds = 10
const slotMicros = slotSeconds * 1_000_000
const halfDigits = 16

export function toSlot(atMicros: number): number {
  return Math.floor(atMicros / slotMicros)
}

/** When a slot begins, epoch microseconds. */
export function slotStart(slot: number): number {
  return slot * slotMicros
}

let lastSlot = -1
let lastHalf = ''

/**
 * The id of a record: the slot of its time, then the begin of `digest` (hex of a cryptographic hash over all that tells one
 * sighting from another, the time with it), 16 hex digits each. So an id is found where it is said to be, without an index, and
 * its first half costs nothing to keep.
 */
export function createRecordId(atMicros: number, digest: string): string {
  return toHalf(atMicros) + digest.slice(0, halfDigits)
}

function toHalf(atMicros: number): string {
  const slot = toSlot(atMicros)
  if (slot !== lastSlot) {
    lastSlot = slot
    lastHalf = slot.toString(16).padStart(halfDigits, '0')
  }
  return lastHalf
}

const seedDigits = 8
const hexBytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/**
 * Ids of what one process sees live: the slot, a number by chance, and how many came before, in 16, 8 and 8 hex digits. They go in the
 * order in which records were seen, take a fifth of the disk of hashes, and cost less. What may be read again has `createRecordId`.
 */
export class RecordIds {
  #count = 0
  #head = ''

  next(atMicros: number): string {
    const count = this.#count
    const low = count & 0xff
    if (low === 0) {
      const seed = count === 0 ? randomSeed() : this.#head.slice(0, seedDigits)
      this.#head = seed + (count >>> 8).toString(16).padStart(halfDigits - seedDigits - 2, '0')
    }
    this.#count = (count + 1) >>> 0
    return toHalf(atMicros) + this.#head + (hexBytes[low] ?? '')
  }
}

function randomSeed(): string {
  const [seed = 0] = crypto.getRandomValues(new Uint32Array(1))
  return seed.toString(16).padStart(seedDigits, '0')
}

/** Slots have eight digits until the year 3331. */
const slotForm = /^0{8}[0-9a-f]{24}$/

/** Undefined where the id tells none: those of the first versions were digest alone. */
export function slotOfId(id: string): number | undefined {
  return slotForm.test(id) ? Number.parseInt(id.slice(0, halfDigits), 16) : undefined
}
