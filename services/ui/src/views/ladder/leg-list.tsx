import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import type { Ladder } from '@sip-capture/sip/ladder.ts'
import { shownText } from '../../format/shown-text.ts'
import { laneWords } from './arrow-words.ts'
import { legClass } from './ladder-drawing.tsx'

const maxListed = 24

/** The legs of the call by number and colour; a click lets the others recede. */
export function LegList(props: {
  ladder: Ladder
  legs: CallDetail['legs']
  onlyLeg: number | null
  onChange: (leg: number | null) => void
}) {
  const { ladder, onlyLeg } = props
  if (ladder.legs.length < 2) return null
  return (
    <div class="leg-list" role="group" aria-label="Legs of the call">
      {ladder.legs.slice(0, maxListed).map((leg, index) => {
        const known = props.legs.find(({ callId }) => callId === leg.callId)
        const channel = known?.channel ?? ''
        return (
          <button
            key={leg.callId}
            type="button"
            class={`leg-chip ${legClass(index)}`}
            aria-pressed={onlyLeg === index}
            title={shownText(
              [channel, `Call-ID ${leg.callId.slice(0, 300)}`, `${leg.messages} messages`]
                .filter(Boolean)
                .join(' · '),
            )}
            onClick={() => props.onChange(onlyLeg === index ? null : index)}
          >
            <span class="leg-chip-number">{leg.number}</span>
            {laneWords(ladder, leg.fromLane)} <span aria-hidden="true">→</span>
            <span class="visually-hidden">to</span> {laneWords(ladder, leg.toLane)}
            {channel !== '' && <span class="faint"> {shownText(channel)}</span>}
          </button>
        )
      })}
      {ladder.legs.length > maxListed && (
        <span class="faint">and {ladder.legs.length - maxListed} more legs</span>
      )}
    </div>
  )
}
