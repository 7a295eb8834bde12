import type { DirectoryEntry } from '@sip-capture/contract/rest/directory.ts'
import { partyText } from '../../format/address.ts'
import { tripText } from '../../format/duration.ts'
import { countText } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { entryKey, standingOf } from './directory-words.ts'

const maxShown = 3

export function DirectoryList(props: {
  entries: readonly DirectoryEntry[]
  openKey: string | null
  callsOf: (entry: DirectoryEntry) => number
  onOpen: (entry: DirectoryEntry) => void
}) {
  const { entries, openKey, callsOf, onOpen } = props
  if (entries.length === 0) return null
  return (
    <table class="list">
      <thead>
        <tr>
          <th scope="col">State</th>
          <th scope="col">Name</th>
          <th scope="col">Addresses</th>
          <th scope="col" class="is-number">
            Round trip
          </th>
          <th scope="col">Device</th>
          <th scope="col" class="is-number">
            Calls
          </th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => {
          const { sign, word, look } = standingOf(entry)
          const places = [...new Set([...entry.addresses.map(partyText), ...entry.matches.map(shownText)])]
          return (
            <tr
              key={entryKey(entry)}
              aria-selected={entryKey(entry) === openKey}
              onClick={() => onOpen(entry)}
            >
              <td>
                <span class={`word look-${look}`}>
                  <span aria-hidden="true">{sign} </span>
                  {word}
                </span>
              </td>
              <td class="wrap">
                <button type="button" class="row-link" onClick={() => onOpen(entry)}>
                  {shownText(entry.name)}
                </button>
                <span class="faint"> {shownText(entry.node)}</span>
              </td>
              <td class="mono wrap">
                {places.slice(0, maxShown).map((place) => (
                  <span key={place} class="line">
                    {place}
                  </span>
                ))}
                {places.length > maxShown && <span class="faint">and {places.length - maxShown} more</span>}
              </td>
              <td class="is-number num" data-label="round trip">
                {entry.roundTripMicros === null ? '' : tripText(entry.roundTripMicros)}
              </td>
              <td data-label="device">{shownText(entry.deviceState)}</td>
              <td class="is-number num" data-label="calls">
                {countText(callsOf(entry))}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
