import type { CallMessage } from '@sip-capture/contract/rest/message.ts'
import type { SeenText } from '@sip-capture/testing/sip-story.ts'
import { toRow } from './sip-calls.ts'

/** The messages of a story as rows of the API, beginning at `startMicros`. */
export function storyRows(seen: readonly SeenText[], startMicros: number): CallMessage[] {
  const first = seen[0]?.atMicros ?? 0
  return seen.map(({ text, atMicros, src, dst, direction }) => ({
    ...toRow({ text, atMicros: atMicros - first + startMicros, src, dst }),
    direction,
  }))
}
