import { compareIds } from '../stream-entries.ts'

/** How far each stream of messages has been read, in the order of the buses: what a client gives back as `since`. */
export type Position = readonly string[]

export const streamStart = '0-0'

export const formatPosition = (position: Position): string => position.join('~')

const shape = /^\d{1,16}-\d{1,16}$/

/** Undefined for what is no position in `streams` streams. */
export function parsePosition(text: string, streams: number): Position | undefined {
  const ids = text.split('~')
  return ids.length === streams && ids.every((id) => shape.test(id)) ? ids : undefined
}

/** True when `position` has passed `other` in all streams. */
export function isAtOrBehind(other: Position, position: Position): boolean {
  return other.every((id, stream) => compareIds(id, position[stream] ?? streamStart) <= 0)
}
