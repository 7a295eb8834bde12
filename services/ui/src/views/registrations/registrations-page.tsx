import { type RegistrationRow, registrationsAnswer } from '@sip-capture/contract/rest/registration.ts'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { countText, plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { zoneText } from '../../format/time.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import { Polled } from '../../state/polled.ts'
import { useShortcuts } from '../capture/shortcuts.ts'
import { RegistrationList } from './registration-list.tsx'
import { RegistrationPane } from './registration-pane.tsx'
import { expiringMeans, flappingMeans, rowKey } from './registration-words.ts'

const everyMillis = 5_000
const onlys = ['expiring', 'flapping', 'refused'] as const
const means = { expiring: expiringMeans, flapping: flappingMeans, refused: 'Refused since the last success.' }

const isOnly = (row: RegistrationRow, only: (typeof onlys)[number]): boolean =>
  only === 'expiring' ? row.isExpiring : only === 'flapping' ? row.isFlapping : row.refusal !== null

/** Every AOR and how it stands; the filter and the open one are in the address: `only`, `text`, `aor`, `node`. */
export function RegistrationsPage() {
  const polled = useMemo(() => new Polled('/registrations', registrationsAnswer), [])
  useEffect(() => polled.start(everyMillis), [polled])
  const { params } = pageLocation.value
  const only = onlys.find((one) => one === params.get('only')) ?? null
  const text = params.get('text') ?? ''
  const [typed, setTyped] = useState(text)
  const answer = polled.answer.value
  const problem = polled.problem.value

  const open = (row: RegistrationRow) => {
    const next = new URLSearchParams(pageLocation.peek().params)
    next.set('aor', row.aor)
    next.set('node', row.node)
    navigate('/registrations', next, params.has('aor') ? 'replace' : 'push')
  }

  const all = answer?.items ?? []
  const needle = text.toLowerCase()
  const rows = all.filter(
    (row) => (only === null || isOnly(row, only)) && (needle === '' || textOf(row).includes(needle)),
  )
  const openKey = params.has('aor')
    ? rowKey({ aor: params.get('aor') ?? '', node: params.get('node') ?? '' })
    : null
  const step = (by: number) => {
    const at = rows.findIndex((row) => rowKey(row) === openKey)
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + by))]
    if (next !== undefined) open(next)
  }
  useShortcuts([
    { keys: ['j', 'ArrowDown'], shown: 'j ↓', what: 'next', run: () => step(1) },
    { keys: ['k', 'ArrowUp'], shown: 'k ↑', what: 'previous', run: () => step(-1) },
    { keys: ['Escape'], shown: 'Esc', what: 'close', run: () => change('aor', null) },
    { keys: ['/'], shown: '/', what: 'search', run: () => document.getElementById('aor-text')?.focus() },
  ])

  return (
    <main class={`split-page${openKey === null ? '' : ' has-pane'}`} aria-label="Registrations">
      <div class="split-list">
        <div class="list-head">
          <h1>Registrations</h1>
          <input
            id="aor-text"
            type="search"
            aria-label="AOR, endpoint, address or phone"
            placeholder="AOR, endpoint, address or phone  ( / )"
            value={typed}
            onInput={(event) => {
              setTyped(event.currentTarget.value)
              change('text', event.currentTarget.value, 'replace')
            }}
          />
          <div class="segments" role="group" aria-label="Show">
            <button type="button" aria-pressed={only === null} onClick={() => change('only', null)}>
              All {countText(all.length)}
            </button>
            {onlys.map((one) => (
              <button
                key={one}
                type="button"
                title={means[one]}
                aria-pressed={only === one}
                onClick={() => change('only', only === one ? null : one)}
              >
                {one} {countText(all.filter((row) => isOnly(row, one)).length)}
              </button>
            ))}
          </div>
        </div>
        {problem !== null && (
          <p class="notice" role="alert">
            {shownText(problem)}
          </p>
        )}
        {answer?.truncated === true && (
          <p class="notice" role="note">
            There are more AORs than are looked at: those that registered with success lately are shown.
          </p>
        )}
        {answer === null && problem === null && <p class="empty">Loading …</p>}
        {answer !== null && rows.length === 0 && <Nothing isFiltered={all.length > 0} />}
        {rows.length > 0 && (
          <RegistrationList rows={rows} at={answer?.at ?? ''} openKey={openKey} onOpen={open} />
        )}
        <p class="list-foot faint">
          {plural(rows.length, 'AOR')} · from the REGISTERs of the last 24 hours and what Asterisk tells ·
          times in {zoneText()}
        </p>
      </div>
      {openKey !== null && (
        <RegistrationPane
          key={openKey}
          aor={params.get('aor') ?? ''}
          node={params.get('node') ?? ''}
          onClose={() => change('aor', null)}
        />
      )}
    </main>
  )
}

/** One word of the address; another filter keeps the open AOR. */
function change(name: 'only' | 'text' | 'aor', value: string | null, how: 'push' | 'replace' = 'push'): void {
  const next = new URLSearchParams(pageLocation.peek().params)
  if (value === null || value === '') next.delete(name)
  else next.set(name, value)
  if (name === 'aor') next.delete('node')
  navigate('/registrations', next, how)
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  return (
    <div class="empty">
      <h2>{isFiltered ? 'None is like that' : 'No registration was seen'}</h2>
      <p>
        {isFiltered
          ? 'Take the filter away to see all AORs.'
          : 'Phones that register by SIP show here with their next REGISTER, those that Asterisk knows already as soon as the AMI bridge is connected. The page Sources says whether anything arrives.'}
      </p>
    </div>
  )
}

function textOf({ aor, endpoint, node, contacts }: RegistrationRow): string {
  return [
    aor,
    endpoint ?? '',
    node,
    ...contacts.flatMap(({ uri, client, userAgent }) => [uri, client?.address ?? '', userAgent]),
  ]
    .join('\n')
    .toLowerCase()
}
