import type { DirectoryEntry, TrunkUsage } from '@sip-capture/contract/rest/directory.ts'
import { addressText } from '../../format/address.ts'
import { tripText } from '../../format/duration.ts'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { agoText, secondTime, toMicros } from '../../format/time.ts'
import { standingOf } from './directory-words.ts'

/** One trunk or endpoint: where it is, how it stands, who uses it, and the ways to its messages and calls. */
export function DirectoryPane(props: {
  entry: DirectoryEntry
  uses: readonly TrunkUsage[]
  onClose: () => void
}) {
  const { entry, uses, onClose } = props
  const { sign, word, look } = standingOf(entry)
  const field = entry.kind === 'trunk' ? 'trunk' : 'endpoint'
  const quoted = `${field}:"${entry.name.replaceAll(/["\\]/g, '\\$&')}"`
  return (
    <section class="split-pane" aria-label={shownText(entry.name)} data-testid="directory-entry">
      <header class="list-head">
        <h2 class="wrap">{shownText(entry.name)}</h2>
        <button type="button" class="button close" aria-label="Close" title="Close" onClick={onClose}>
          <span aria-hidden="true">✕</span>
        </button>
      </header>
      <p>
        <span class={`word look-${look}`}>
          <span aria-hidden="true">{sign} </span>
          {word}
        </span>{' '}
        <span class="faint">
          · {entry.kind} of {shownText(entry.node)} · device state {shownText(entry.deviceState) || 'unknown'}{' '}
          · asked {agoText(toMicros(entry.at), Date.now() * 1000)}
        </span>
      </p>
      <p class="actions">
        <a class="button" href={`/calls?${new URLSearchParams({ q: quoted })}`}>
          Its calls
        </a>
        <a class="button" href={`/capture?${new URLSearchParams({ trunk: entry.name, mode: 'history' })}`}>
          Its messages
        </a>
        {entry.contacts.length > 0 && (
          <a
            class="button"
            href={`/registrations?${new URLSearchParams({ text: entry.contacts[0]?.aor ?? '' })}`}
          >
            Its registrations
          </a>
        )}
      </p>
      <h3>Addresses</h3>
      {entry.addresses.length + entry.matches.length === 0 && <p class="faint">None is known.</p>}
      <ul class="bound">
        {uniqueSides(entry).map((side) => (
          <li key={addressText(side)}>
            <span class="mono">{addressText(side)}</span>
            {side.name !== undefined && (
              <span>
                {' '}
                {shownText(side.name)} <span class="faint">(ALIASES_FILE)</span>
              </span>
            )}
          </li>
        ))}
        {entry.matches.map((match) => (
          <li key={`match ${match}`}>
            <span class="mono">{shownText(match)}</span>{' '}
            <span class="faint">identified by this (type=identify)</span>
          </li>
        ))}
      </ul>
      {entry.contacts.length > 0 && (
        <>
          <h3>Contacts</h3>
          <ul class="bound">
            {entry.contacts.map((contact) => (
              <li key={`${contact.aor} ${contact.uri}`}>
                <span class="mono wrap">{shownText(contact.uri)}</span>{' '}
                <span class="faint">
                  {[
                    `AOR ${shownText(contact.aor)}`,
                    shownText(contact.status),
                    contact.roundTripMicros === null ? '' : `round trip ${tripText(contact.roundTripMicros)}`,
                    contact.expiresAt === null
                      ? 'of the configuration'
                      : `until ${secondTime(contact.expiresAt)}`,
                    shownText(contact.userAgent),
                  ]
                    .filter(Boolean)
                    .join(' · ')}
                </span>
              </li>
            ))}
          </ul>
        </>
      )}
      {entry.registrations.length > 0 && (
        <>
          <h3>Asterisk registers there</h3>
          <ul class="bound">
            {entry.registrations.map((one) => (
              <li key={one.name}>
                <span class="mono wrap">{shownText(one.serverUri)}</span> as{' '}
                <span class="mono wrap">{shownText(one.clientUri)}</span>{' '}
                <strong>{shownText(one.status)}</strong>
              </li>
            ))}
          </ul>
        </>
      )}
      <h3>{entry.kind === 'trunk' ? 'Used by' : 'Uses'}</h3>
      {uses.length === 0 ? (
        <p class="faint">No call through a trunk in the last 24 hours.</p>
      ) : (
        <ul class="bound">
          {uses.map(({ trunk, endpoint, calls, answered, lastAt }) => (
            <li key={`${trunk} ${endpoint ?? ''}`}>
              {shownText((entry.kind === 'trunk' ? endpoint : trunk) ?? 'not known by name')}{' '}
              <span class="faint">
                {plural(calls, 'call')}, {answered} answered · last {secondTime(lastAt)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

/** A contact is often told twice: by its URI and by where its REGISTER came from. */
function uniqueSides({ addresses }: DirectoryEntry): DirectoryEntry['addresses'] {
  return [...new Map(addresses.map((side) => [addressText(side), side])).values()]
}
