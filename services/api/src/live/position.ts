import { compareIds } from '../stream-entries.ts'

/** How far the two message streams have been read: what a client gives back as `since`. */
export interface Position {
  readonly traffic: string
  readonly capture: string
}

export const streamStart = '0-0'

export const formatPosition = ({ traffic, capture }: Position): string => `${traffic}~${capture}`

const shape = /^(\d{1,16}-\d{1,16})~(\d{1,16}-\d{1,16})$/

export function parsePosition(text: string): Position | undefined {
  const match = shape.exec(text)
  return match?.[1] && match[2] ? { traffic: match[1], capture: match[2] } : undefined
}

/** True when `position` has passed `other` in both streams. */
export function isAtOrBehind(other: Position, position: Position): boolean {
  return compareIds(other.traffic, position.traffic) <= 0 && compareIds(other.capture, position.capture) <= 0
}
