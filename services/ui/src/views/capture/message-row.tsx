import { useMemo } from 'preact/hooks'
import { MessageName } from '../../components/message-name.tsx'
import { SourceBadges } from '../../components/source-badges.tsx'
import { addressText } from '../../format/address.ts'
import { nameText } from '../../format/name.ts'
import { shownText } from '../../format/shown-text.ts'
import { lookOf } from '../../format/status.ts'
import { fullTime, rowTime, zoneText } from '../../format/time.ts'
import type { Party } from '@sip-capture/contract/rest/message.ts'
import type { MessageEntry } from '../../state/row-store.ts'

/** One message in the table. */
export function MessageRowView(props: {
  entry: MessageEntry
  revision: number
  top: number
  index: number
  active: boolean
  marked: boolean
  nowMillis: number
  onOpen: (entry: MessageEntry) => void
}) {
  const { entry, revision, active, marked, top, index, onOpen } = props
  // The cells are drawn anew only for another message: a row that merely moves costs one transform.
  const cells = useMemo(() => <Cells entry={entry} nowMillis={props.nowMillis} />, [entry, revision])
  return (
    <div
      id={`row-${entry.key}`}
      class={`row look-row-${lookOf(entry.row)}${active ? ' is-active' : ''}${marked ? ' is-marked' : ''}`}
      role="row"
      aria-rowindex={index + 1}
      aria-selected={active}
      data-message-id={entry.row.id}
      style={{ transform: `translateY(${top}px)` }}
      onClick={() => onOpen(entry)}
    >
      {cells}
    </div>
  )
}

function Cells({ entry, nowMillis }: { entry: MessageEntry; nowMillis: number }) {
  const { row } = entry
  return (
    <>
      <span
        class="cell cell-time num"
        role="gridcell"
        title={`${fullTime(entry.atMicros)} ${zoneText(entry.atMicros)}`}
      >
        {rowTime(entry.atMicros, nowMillis)}
      </span>
      <span class="cell cell-source" role="gridcell">
        <SourceBadges sources={entry.sightings.map((sighting) => sighting.source)} />
      </span>
      <span class="cell cell-message" role="gridcell">
        <MessageName row={row} />
        {row.problems.length > 0 && (
          <span class="problem-sign" title={shownText(row.problems.join('; '))}>
            !
          </span>
        )}
      </span>
      <span class="cell cell-from" role="gridcell">
        {nameText(row.from)}
      </span>
      <span class="cell cell-to" role="gridcell">
        {nameText(row.to)}
      </span>
      <span class="cell cell-src mono" role="gridcell">
        <PartyCell party={row.src} />
      </span>
      <span class="cell cell-dst mono" role="gridcell">
        <PartyCell party={row.dst} />
      </span>
      <span class="cell cell-trunk" role="gridcell">
        {shownText(row.trunk ?? '')}
      </span>
      <span class="cell cell-callId mono" role="gridcell" title={shownText(row.callId.slice(0, 300))}>
        {shownText(row.callId.slice(0, 120))}
      </span>
    </>
  )
}

function PartyCell({ party }: { party: Party }) {
  return (
    <>
      {party.name !== undefined && party.name !== '' && <b class="party-name">{shownText(party.name)} </b>}
      {addressText(party)}
    </>
  )
}
