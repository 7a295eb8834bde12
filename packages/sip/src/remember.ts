import type { Leg } from './leg.ts'

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

/** What follows from a leg alone, worked out once between two of its messages. */
export function rememberOfLeg<V>(work: (leg: Leg) => V): (leg: Leg) => V {
  const known = new WeakMap<Leg, { readonly revision: number; readonly value: V }>()
  return (leg) => {
    const last = known.get(leg)
    if (last?.revision === leg.revision) return last.value
    const value = work(leg)
    known.set(leg, { revision: leg.revision, value })
    return value
  }
}
