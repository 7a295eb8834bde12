import {
  aliasesAnswer,
  directoryAnswer,
  type DirectoryEntry,
  type TrunkUsage,
  trunkUsageAnswer,
} from '@sip-capture/contract/rest/directory.ts'
import { useEffect, useMemo, useState } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { agoText, toMicros } from '../../format/time.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import { Polled } from '../../state/polled.ts'
import { DirectoryList } from './directory-list.tsx'
import { DirectoryPane } from './directory-pane.tsx'
import { entryKey, textOf } from './directory-words.ts'

const everyMillis = 10_000

/** Who is who: trunks and endpoints as Asterisk tells of them, and names of the user's own. The open one is in the address. */
export function DirectoryPage() {
  const [entries, usage, aliases] = useMemo(
    () => [
      new Polled('/endpoints', directoryAnswer),
      new Polled('/trunks/usage', trunkUsageAnswer),
      new Polled('/aliases', aliasesAnswer),
    ],
    [],
  )
  useEffect(() => {
    const stops = [entries, usage, aliases].map((one) => one.start(everyMillis))
    return () => stops.forEach((stop) => stop())
  }, [entries])
  const { params } = pageLocation.value
  const [text, setText] = useState(params.get('text') ?? '')
  const answer = entries.answer.value
  const problem = entries.problem.value
  const needle = text.toLowerCase()
  const shown = (answer?.items ?? []).filter((entry) => needle === '' || textOf(entry).includes(needle))
  const trunks = shown.filter(({ kind }) => kind === 'trunk')
  const endpoints = shown.filter(({ kind }) => kind === 'endpoint')
  const uses = usage.answer.value?.items ?? []
  const opened = answer?.items.find(
    ({ name, node }) => name === params.get('name') && node === params.get('node'),
  )
  const newest = Math.max(0, ...(answer?.items ?? []).map(({ at }) => toMicros(at)))
  const openKey = opened === undefined ? null : entryKey(opened)
  return (
    <main class={`split-page${opened === undefined ? '' : ' has-pane'}`} aria-label="Trunks and endpoints">
      <div class="split-list">
        <div class="list-head">
          <h1>Trunks and endpoints</h1>
          <input
            type="search"
            aria-label="Name, address or contact"
            placeholder="Name, address or contact"
            value={text}
            onInput={(event) => setText(event.currentTarget.value)}
          />
        </div>
        {problem !== null && (
          <p class="notice" role="alert">
            {shownText(problem)}
          </p>
        )}
        {answer === null && problem === null && <p class="empty">Loading …</p>}
        {answer?.items.length === 0 && (
          <div class="empty">
            <h2>Asterisk has told of no endpoint</h2>
            <p>
              Names come over AMI: the ami-bridge must be connected, with the rights <code>system</code> and{' '}
              <code>reporting</code> to write. The page Sources says what it can do.
            </p>
          </div>
        )}
        {answer !== null && answer.items.length > 0 && (
          <div class="list-scroll">
            <h2>{plural(trunks.length, 'trunk')}</h2>
            <DirectoryList
              entries={trunks}
              openKey={openKey}
              callsOf={(entry) => callsOf(entry, uses)}
              onOpen={open}
            />
            <h2>{plural(endpoints.length, 'endpoint')}</h2>
            <DirectoryList
              entries={endpoints}
              openKey={openKey}
              callsOf={(entry) => callsOf(entry, uses)}
              onOpen={open}
            />
            <Aliases aliases={aliases} needle={needle} />
          </div>
        )}
        <p class="list-foot faint">
          {newest > 0 && `Asked of Asterisk ${agoText(newest, Date.now() * 1000)} · `}calls of the last 24
          hours
        </p>
      </div>
      {opened !== undefined && (
        <DirectoryPane
          entry={opened}
          uses={uses.filter(
            ({ node, trunk, endpoint }) =>
              node === opened.node && (trunk === opened.name || endpoint === opened.name),
          )}
          onClose={() => open(null)}
        />
      )}
    </main>
  )
}

/** Shows one beside the list, or none. */
function open(entry: DirectoryEntry | null): void {
  const next = new URLSearchParams(pageLocation.peek().params)
  next.delete('name')
  next.delete('node')
  if (entry !== null) {
    next.set('name', entry.name)
    next.set('node', entry.node)
  }
  navigate('/trunks', next)
}

function callsOf(entry: DirectoryEntry, uses: readonly TrunkUsage[]): number {
  return uses
    .filter(
      ({ node, trunk, endpoint }) =>
        node === entry.node && (entry.kind === 'trunk' ? trunk : endpoint) === entry.name,
    )
    .reduce((sum, { calls }) => sum + calls, 0)
}

function Aliases({ aliases, needle }: { aliases: Polled<typeof aliasesAnswer>; needle: string }) {
  const answer = aliases.answer.value
  if (answer === null) return null
  const rows = [
    ...answer.addresses.map(({ address, name }) => [address, name] as const),
    ...answer.numbers.map(({ number, name }) => [number, name] as const),
  ].filter(([key, name]) => `${key}\n${name}`.toLowerCase().includes(needle))
  return (
    <>
      <h2>{plural(rows.length, 'name')} of your own</h2>
      {rows.length === 0 ? (
        <p class="faint list-note">
          <code>ALIASES_FILE</code> names a JSON file of names by address, network or number; the API reads it
          again when it changes.
        </p>
      ) : (
        <table class="list">
          <thead>
            <tr>
              <th scope="col">Address or number</th>
              <th scope="col">Name</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {rows.map(([key, name]) => (
              <tr key={key}>
                <td class="mono wrap">{shownText(key)}</td>
                <td class="wrap">{shownText(name)}</td>
                <td class="faint">ALIASES_FILE</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </>
  )
}
