import type { RegistrationRow } from '@sip-capture/contract/rest/registration.ts'
import { addressText } from '../../format/address.ts'
import { lengthText, tripText } from '../../format/duration.ts'
import { shownText } from '../../format/shown-text.ts'
import { secondTime, toMicros } from '../../format/time.ts'
import { expiringMeans, flappingMeans, rowKey, stateWords } from './registration-words.ts'

/** The worst first, as the API sorts them. */
export function RegistrationList(props: {
  rows: readonly RegistrationRow[]
  /** What the API calls now. */
  at: string
  openKey: string | null
  onOpen: (row: RegistrationRow) => void
}) {
  const { rows, at, openKey, onOpen } = props
  return (
    <div class="list-scroll">
      <table class="list">
        <thead>
          <tr>
            <th scope="col">State</th>
            <th scope="col">AOR</th>
            <th scope="col">Contact</th>
            <th scope="col" class="is-number">
              Expires in
            </th>
            <th scope="col" class="is-number">
              Round trip
            </th>
            <th scope="col">Phone</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)} aria-selected={rowKey(row) === openKey} onClick={() => onOpen(row)}>
              <td>
                <State row={row} />
              </td>
              <td class="wrap">
                <button type="button" class="row-link" onClick={() => onOpen(row)}>
                  {shownText(row.aor)}
                </button>
                {row.endpoint !== null && !row.aor.startsWith(`${row.endpoint}@`) && (
                  <span class="faint"> {shownText(row.endpoint)}</span>
                )}
                {row.direction === 'out' && <span class="faint"> ↗ Asterisk registers there</span>}
                {row.refusal !== null && (
                  <span class="row-why">
                    {row.refusal.status !== null && `${row.refusal.status} · `}
                    {shownText(row.refusal.why)}
                    {row.refusal.count > 1 && ` · ${row.refusal.count} times`}
                  </span>
                )}
              </td>
              <td class="mono wrap">
                {row.contacts.slice(0, 3).map((contact) => (
                  <span key={contact.uri} class="line">
                    {contact.client === null ? shownText(contact.uri) : addressText(contact.client)}
                    {contact.status !== '' && <span class="faint"> {shownText(contact.status)}</span>}
                  </span>
                ))}
                {row.contacts.length > 3 && <span class="faint">and {row.contacts.length - 3} more</span>}
              </td>
              <td
                class="is-number num"
                data-label="expires in"
                title={row.expiresAt === null ? '' : secondTime(row.expiresAt)}
              >
                {row.expiresAt === null
                  ? ''
                  : lengthText((toMicros(row.expiresAt) - toMicros(at)) / 1_000_000)}
              </td>
              <td class="is-number num" data-label="round trip">
                {tripOf(row)}
              </td>
              <td class="wrap">{shownText(row.contacts[0]?.userAgent ?? '')}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

export function State({ row }: { row: RegistrationRow }) {
  const { sign, word, look, means } = stateWords[row.state]
  return (
    <span class="row-state">
      <span class={`word look-${look}`} title={means}>
        <span aria-hidden="true">{sign} </span>
        {word}
      </span>
      {row.isExpiring && (
        <span class="word look-challenge" title={expiringMeans}>
          <span aria-hidden="true">◔ </span>expiring
        </span>
      )}
      {row.isFlapping && (
        <span class="word look-failure" title={`${flappingMeans} Here: ${row.recentChanges}.`}>
          <span aria-hidden="true">⇅ </span>flapping
        </span>
      )}
    </span>
  )
}

function tripOf({ contacts }: RegistrationRow): string {
  const trips = contacts.flatMap(({ roundTripMicros }) => roundTripMicros ?? [])
  return trips.length === 0 ? '' : tripText(Math.min(...trips))
}
