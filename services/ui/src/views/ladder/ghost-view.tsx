import type { Arrow } from '@sip-capture/sip/ladder.ts'
import { shownText } from '../../format/shown-text.ts'

/** A message that is not there: why it should be. */
export function GhostView({ arrow }: { arrow: Arrow }) {
  return (
    <article class="message ghost-view" data-testid="ghost">
      <header class="message-head">
        <p class="message-line">
          <b>
            <span aria-hidden="true">◌ </span>Missing: {shownText(arrow.label)}
          </b>
        </p>
        <p>{shownText(arrow.ghost?.reason ?? '')}</p>
        <p class="faint">{arrow.ghost?.rfc}</p>
      </header>
    </article>
  )
}
