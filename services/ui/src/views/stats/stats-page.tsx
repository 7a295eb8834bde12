import type { CallRates, CallStats } from '@sip-capture/contract/rest/call-log.ts'
import type { ComponentChildren } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { SavedButton } from '../../components/saved-button.tsx'
import { SearchBar } from '../../components/search-bar.tsx'
import { TimeRange } from '../../components/time-range.tsx'
import { clockDuration, waitText } from '../../format/call-time.ts'
import { countText } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { rangeText, toMicros, zoneText } from '../../format/time.ts'
import { type CallsFilter, callsLink } from '../../state/calls-filter.ts'
import { StatsModel } from '../../state/stats.ts'
import { type Shortcut, useShortcuts } from '../capture/shortcuts.ts'
import { behind, linkBehind } from './calls-behind.ts'
import { StateChart } from './state-chart.tsx'
import { Trend } from './trend.tsx'

/** `/stats`: how many calls, how they went, and where they failed; every number opens the calls that it counts. */
export function StatsPage() {
  const stats = useMemo(() => new StatsModel(), [])
  const searchRef = useRef<HTMLInputElement>(null)
  useEffect(() => stats.start(), [stats])
  const shortcuts: Shortcut[] = [
    { keys: ['/'], shown: '/', what: 'search', run: () => searchRef.current?.focus() },
  ]
  useShortcuts(shortcuts)
  const filter = stats.filter.value
  const answer = stats.answer.value
  const problem = stats.problem.value
  return (
    <main class="stats" aria-label="Statistics">
      <h1 class="visually-hidden">Statistics</h1>
      <div class="calls-controls">
        <SearchBar
          kind="calls"
          value={filter.q}
          placeholder="Only calls that match: trunk:acme to:+44*  ( / )"
          inputRef={searchRef}
          onSearch={(q) => stats.setFilter({ ...filter, q })}
        />
        <div class="calls-tools">
          <SavedButton />
          <a class="button" href={callsLink(filter)}>
            Calls
          </a>
        </div>
        <div class="calls-range">
          <TimeRange
            span={filter}
            unbounded="until now"
            onChange={(span) => stats.setFilter({ ...filter, ...span })}
          />
        </div>
        {problem !== null && (
          <p class="notice" role="alert">
            {shownText(problem)}
          </p>
        )}
      </div>
      {answer !== null ? (
        <Numbers stats={answer} filter={filter} />
      ) : (
        stats.loading.value && (
          <div class="empty" role="status">
            <h2>Counting …</h2>
          </div>
        )
      )}
    </main>
  )
}

function Numbers({ stats, filter }: { stats: CallStats; filter: CallsFilter }) {
  // The very stretch that was counted, so that the links find as many.
  const counted = { ...filter, sinceMicros: toMicros(stats.since), untilMicros: toMicros(stats.until) }
  const isDefault = filter.sinceMicros === null && filter.untilMicros === null
  if (stats.total.calls === 0)
    return (
      <div class="empty" role="status">
        <h2>No call began in this time</h2>
        <p>{rangeText(stats.since, stats.until)}</p>
        <p>
          Choose another range above, or search for less. Calls that are placed now are counted within half a
          minute.
        </p>
      </div>
    )
  return (
    <div class="stats-body" data-testid="stats">
      <p class="faint">
        Calls that began {rangeText(stats.since, stats.until)} ({zoneText(toMicros(stats.until))})
        {isDefault && ', the last 24 hours'}
      </p>
      <Headline total={stats.total} filter={counted} />
      <StateChart stats={stats} filter={counted} />
      <div class="stats-tables">
        <Failures stats={stats} filter={counted} />
        <Trunks stats={stats} filter={counted} />
        <Verdicts stats={stats} filter={counted} />
        <Codes stats={stats} filter={counted} />
      </div>
    </div>
  )
}

const percent = (share: number | null) => (share === null ? '–' : `${(share * 100).toFixed(1)} %`)
const wait = (millis: number | null) => (millis === null ? '–' : waitText(millis))

/** What each number is, and which calls are behind it. */
const measures: readonly {
  readonly id: string
  readonly label: string
  readonly about: string
  readonly text: (rates: CallRates) => string
  readonly search: (rates: CallRates) => string
}[] = [
  {
    id: 'calls',
    label: 'Calls',
    about: 'All calls whose first INVITE came in this time',
    text: ({ calls }) => countText(calls),
    search: () => behind.all,
  },
  {
    id: 'answered',
    label: 'Answered',
    about: 'Calls whose caller got a 2xx',
    text: ({ answered }) => countText(answered),
    search: () => behind.answered,
  },
  {
    id: 'asr',
    label: 'ASR',
    about: 'Answer-seizure ratio (ITU-T E.411): answered calls of all that are past set-up',
    text: ({ asr }) => percent(asr),
    search: () => behind.seizures,
  },
  {
    id: 'ner',
    label: 'NER',
    about:
      'Network effectiveness ratio (ITU-T E.425): calls that were answered, busy, not answered or refused by the user (480, 486, 487, 600, 603), of all that are past set-up. RFC 6076 4.7 calls it session establishment effectiveness ratio',
    text: ({ ner }) => percent(ner),
    search: () => behind.effective,
  },
  {
    id: 'acd',
    label: 'ACD',
    about: 'Average call duration: mean talk time of answered calls that ended (RFC 6076 4.5)',
    text: ({ acdMillis }) => (acdMillis === null ? '–' : clockDuration(acdMillis)),
    search: () => behind.talked,
  },
  {
    id: 'pdd',
    label: 'PDD median',
    about:
      'Post-dial delay, first INVITE to the first 18x: half of the calls waited no longer (RFC 6076 4.3)',
    text: ({ pddMedianMillis }) => wait(pddMedianMillis),
    search: () => behind.rang,
  },
  {
    id: 'pdd95',
    label: 'PDD p95',
    about:
      'Post-dial delay: 95 of 100 calls waited no longer. The link shows those that waited as long or longer',
    text: ({ pddP95Millis }) => wait(pddP95Millis),
    search: ({ pddP95Millis }) => (pddP95Millis === null ? behind.rang : behind.pddFrom(pddP95Millis)),
  },
]

function Headline({ total, filter }: { total: CallRates; filter: CallsFilter }) {
  return (
    <dl class="stats-figures" aria-label="Numbers">
      {measures.map(({ id, label, about, text, search }) => (
        <div key={id} title={about}>
          <dt>{label}</dt>
          <dd>
            <a class="num" href={linkBehind(filter, search(total))} data-figure={id}>
              {text(total)}
            </a>
          </dd>
        </div>
      ))}
    </dl>
  )
}

function Part(props: {
  title: string
  about: string
  heads: readonly string[]
  children: ComponentChildren
}) {
  return (
    <section class="stats-part">
      <h2 title={props.about}>{props.title}</h2>
      <div class="stats-scroll">
        <table>
          <thead>
            <tr>
              {props.heads.map((head, index) => (
                <th key={head} scope="col" class={index === 0 ? '' : 'is-numeric'}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>{props.children}</tbody>
        </table>
      </div>
    </section>
  )
}

interface PartProps {
  readonly stats: CallStats
  readonly filter: CallsFilter
}

function Failures({ stats, filter }: PartProps) {
  return (
    <Part
      title="Failures by trunk and code"
      about="Calls that failed, were rejected or busy; one over two trunks is told with each"
      heads={['Trunk', 'Code', 'Calls', 'Over time']}
    >
      {stats.failures.length === 0 && <None columns={4} text="No call failed." />}
      {stats.failures.map(({ trunk, code, calls, buckets }) => (
        <tr key={`${code} ${trunk}`}>
          <th scope="row">{trunk === '' ? <i>none</i> : shownText(trunk.slice(0, 80))}</th>
          <td class="num is-numeric">{code ?? 'no answer'}</td>
          <td class="num is-numeric">
            <a href={linkBehind(filter, behind.failure(trunk, code))}>{countText(calls)}</a>
          </td>
          <td>
            <Trend counts={buckets} look="failure" />
          </td>
        </tr>
      ))}
    </Part>
  )
}

function Trunks({ stats, filter }: PartProps) {
  return (
    <Part
      title="Trunks"
      about="Calls with a leg over the trunk"
      heads={['Trunk', ...measures.map(({ label }) => label), 'Over time']}
    >
      {stats.byTrunk.length === 0 && (
        <None columns={measures.length + 2} text="No call went over a trunk that Asterisk names." />
      )}
      {stats.byTrunk.map((group) => (
        <tr key={group.key}>
          <th scope="row">{shownText(group.key.slice(0, 80))}</th>
          {measures.map(({ id, text, search }) => (
            <td key={id} class="num is-numeric">
              <a href={linkBehind(filter, `${behind.trunk(group.key)} ${search(group)}`.trim())}>
                {text(group)}
              </a>
            </td>
          ))}
          <td>
            <Trend counts={group.buckets} />
          </td>
        </tr>
      ))}
    </Part>
  )
}

function Verdicts({ stats, filter }: PartProps) {
  return (
    <Part
      title="Verdicts"
      about="Calls that have the finding; a call with two is told with each"
      heads={['Rule', 'Calls', 'Over time']}
    >
      {stats.byVerdict.length === 0 && <None columns={3} text="No verdict yet." />}
      {stats.byVerdict.map(({ key, calls, buckets }) => (
        <tr key={key}>
          <th scope="row" class="mono">
            {shownText(key)}
          </th>
          <td class="num is-numeric">
            <a href={linkBehind(filter, behind.verdict(key))}>{countText(calls)}</a>
          </td>
          <td>
            <Trend counts={buckets} />
          </td>
        </tr>
      ))}
    </Part>
  )
}

function Codes({ stats, filter }: PartProps) {
  return (
    <Part
      title="Final codes"
      about="Final status code of the caller’s INVITE"
      heads={['Code', 'Calls', 'Over time']}
    >
      {stats.byCode.length === 0 && <None columns={3} text="No final answer yet." />}
      {stats.byCode.map(({ key, calls, buckets }) => (
        <tr key={key}>
          <th scope="row" class="num">
            {shownText(key)}
          </th>
          <td class="num is-numeric">
            <a href={linkBehind(filter, behind.code(key))}>{countText(calls)}</a>
          </td>
          <td>
            <Trend counts={buckets} look={Number(key) >= 400 ? 'failure' : 'plain'} />
          </td>
        </tr>
      ))}
    </Part>
  )
}

function None({ columns, text }: { columns: number; text: string }) {
  return (
    <tr>
      <td colSpan={columns} class="faint">
        {text}
      </td>
    </tr>
  )
}
