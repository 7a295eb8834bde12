import type { MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import type { Sighting } from '@sip-capture/sip/sightings.ts'
import { useRef } from 'preact/hooks'
import { MessageName } from '../../components/message-name.tsx'
import { SourceBadges } from '../../components/source-badges.tsx'
import { useVirtualRows } from '../../components/virtual-rows.ts'
import { addressText } from '../../format/address.ts'
import { clockTime, offsetText } from '../../format/time.ts'

/** The messages of the call in order, numbered as the verdict cites them. */
export function MessageList(props: {
  sightings: readonly Sighting[]
  selectedId: string | null
  onSelect: (id: string) => void
}) {
  const { sightings, selectedId, onSelect } = props
  const scroller = useRef<HTMLDivElement>(null)
  const virtual = useVirtualRows({ count: sightings.length, rowHeight: 26, scroller })
  const first = sightings[0]?.message.atMicros ?? 0
  return (
    <div ref={scroller} class="list-scroll" role="listbox" tabIndex={0} aria-label="Messages of the call">
      <div class="table-rows" style={{ height: `${virtual.totalHeight}px` }}>
        {virtual.items.map((item) => {
          const sighting = sightings[item.index]
          if (sighting === undefined) return null
          const { message } = sighting
          const chosen = message.id === selectedId
          return (
            <button
              key={item.index}
              type="button"
              role="option"
              aria-selected={chosen}
              class={`list-row${chosen ? ' is-active' : ''}`}
              style={{ transform: `translateY(${item.start}px)` }}
              onClick={() => onSelect(message.id)}
            >
              <span class="num faint">#{item.index + 1}</span>
              <span class="num" title={clockTime(message.atMicros, 6)}>
                {offsetText(message.atMicros - first)}
              </span>
              <MessageName row={message.message} />
              <span class="mono faint list-addresses">
                {addressText(message.src)} → {addressText(message.dst)}
              </span>
              <SourceBadges sources={sighting.sources as readonly MessageSource[]} />
            </button>
          )
        })}
      </div>
    </div>
  )
}
