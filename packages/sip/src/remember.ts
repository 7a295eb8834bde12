import type { Leg } from './leg.ts'
import type { SipMessage } from './message.ts'

/** What follows from an object that never changes, worked out once however often it is asked for. */
export function remember<K extends object, V>(work: (of: K) => V): (of: K) => V {
  const known = new WeakMap<K, V>()
  return (of) => {
    let value = known.get(of)
    if (value === undefined) {
      value = work(of)
      known.set(of, value)
    }
    return value
  }
}

/** Anything but undefined, which stands for what is not worked out yet. */
type Known = object | string | number | boolean | null

let messageSlots = 0
let legSlots = 0

/** What follows from a message alone. Kept in the message itself: weak maps of as many entries as there are messages cost the
 *  garbage collector more than the work that they save. */
export function rememberOfMessage<V extends Known>(
  work: (message: SipMessage) => V,
): (message: SipMessage) => V {
  const slot = messageSlots++
  return (message) => message.recall(slot, work)
}

/** What follows from a leg alone, worked out once between two of its messages. */
export function rememberOfLeg<V extends Known>(work: (leg: Leg) => V): (leg: Leg) => V {
  const slot = legSlots++
  return (leg) => leg.recall(slot, work)
}
