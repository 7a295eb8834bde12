import { shownText } from '../../format/shown-text.ts'
import { fullTime, zoneText } from '../../format/time.ts'
import type { DeepLink } from '../../state/deep-link.ts'

/** The time as it was understood, with the zone. */
export function TimeLine({ at }: { at: NonNullable<DeepLink['at']> }) {
  if (at.micros === null)
    return (
      <p class="warn">
        ! The time <span class="mono">{shownText(at.given.slice(0, 60))}</span> could not be read and was left
        out: RFC 3339 with a zone, or epoch seconds.
      </p>
    )
  return (
    <p class="faint">
      Time of the link: <span class="num">{fullTime(at.micros).replace(/\.000000$/, '')}</span> (
      {zoneText(at.micros)}){at.isLocal && '; it names no zone, so yours was taken'}.
    </p>
  )
}
