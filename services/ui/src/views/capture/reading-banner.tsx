import { countText } from '../../format/number.ts'
import type { OpenCallModel } from '../../state/open-call.ts'

/** Stands where the verdict will: of a part of the messages there is none. */
export function ReadingBanner({ open }: { open: OpenCallModel }) {
  const call = open.call.value
  const part = open.part.value
  const read = (call ?? part)?.messages.length ?? 0
  return (
    <div class="verdict verdict-info" role="status" data-testid="reading">
      <p class="verdict-line">
        <span class="verdict-sign" aria-hidden="true">
          …
        </span>
        <span>
          <b>Reading the call:</b> message{' '}
          <span class="num">
            {countText(read)} of {countText(part?.total ?? read)}
          </span>
          . The verdict comes with the last one.
        </span>
      </p>
    </div>
  )
}
