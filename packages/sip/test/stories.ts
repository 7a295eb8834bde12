import type { SeenText } from '@sip-capture/testing/sip-story.ts'
import type { ObservedMessage } from '../src/observed-message.ts'
import { toMessage } from './conversation.ts'

/** The messages of a story as a source saw them; without `direction` as in an imported file. */
export function toObserved(
  seen: readonly SeenText[],
  { source = 'wire', hasDirection = true }: { source?: string; hasDirection?: boolean } = {},
): ObservedMessage[] {
  return seen.map(({ text, direction, ...rest }, index) => ({
    ...rest,
    id: `s${index + 1}`,
    source,
    direction: hasDirection ? direction : 'unknown',
    message: toMessage(text),
  }))
}
