import type { SourcesAnswer, SourceView } from '@sip-capture/contract/rest/source.ts'
import { useEffect } from 'preact/hooks'
import { levelOf, sourceTitle } from '../../components/status-line.tsx'
import { counterText } from '../../format/counter.ts'
import { countText, plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { agoText, fullTime, toMicros, zoneText } from '../../format/time.ts'
import type { SourcesModel } from '../../state/sources.ts'
import { adviceFor } from './source-advice.ts'

/** "Why is nothing showing?": each source, its tap and why, what it counted, what it lost, what to do. */
export function SourcesPage({ sources }: { sources: SourcesModel }) {
  useEffect(() => void sources.load(), [sources])
  const answer = sources.answer.value
  const problem = sources.problem.value
  return (
    <main class="sources" aria-label="Sources">
      <h1>Sources</h1>
      <p class="faint">Times in {zoneText()}</p>
      {problem !== null && (
        <p class="notice" role="alert">
          {shownText(problem)}
        </p>
      )}
      {answer?.items.length === 0 && (
        <div class="empty">
          <h2>No source has reported</h2>
          <p>
            Start the ami-bridge with <code>AMI_HOST</code>, <code>AMI_USERNAME</code> and{' '}
            <code>AMI_SECRET</code>, or the capture-sidecar with <code>TSHARK_ENABLED=true</code>. Both must
            use the same <code>REDIS_URL</code> and <code>BUS_PREFIX</code> as the api.
          </p>
        </div>
      )}
      {answer?.items.map((source) => (
        <SourceCard key={`${source.kind} ${source.node}`} source={source} />
      ))}
      {answer !== null && <ApiCard api={answer.api} />}
    </main>
  )
}

function SourceCard({ source }: { source: SourceView }) {
  const now = Date.now() * 1000
  const advice = adviceFor(source)
  return (
    <section class={`source-card level-${levelOf(source)}`} aria-label={sourceTitle(source)}>
      <h2>
        <span class="source-state">{source.stale ? 'silent' : source.state}</span> {sourceTitle(source)}{' '}
        <span class="faint">on {shownText(source.node)}</span>
      </h2>
      <p>{shownText(source.detail)}</p>
      {source.subject !== '' && <p class="faint">{shownText(source.subject)}</p>}
      {source.tapReason !== undefined && <p>Why this tap: {shownText(source.tapReason)}</p>}
      {advice.length > 0 && (
        <ul class="advice" aria-label="What to do">
          {advice.map((line) => (
            <li key={line}>{line}</li>
          ))}
        </ul>
      )}
      {source.warnings.map((warning) => (
        <p key={warning} class="warn">
          ! {shownText(warning)}
        </p>
      ))}
      <dl class="facts">
        <dt>Last message</dt>
        <dd>{source.lastMessageAt === null ? 'none yet' : agoText(toMicros(source.lastMessageAt), now)}</dd>
        <dt>Heartbeat</dt>
        <dd>{agoText(toMicros(source.at), now)}</dd>
        <dt>Running since</dt>
        <dd>{fullTime(toMicros(source.startedAt)).slice(0, -7)}</dd>
      </dl>
      <Counters counters={source.counters} />
      {source.gaps.length > 0 && (
        <details class="gaps" open>
          <summary>Gaps: stretches in which messages may be missing</summary>
          <ul>
            {source.gaps.map((gap) => (
              <li key={`${gap.from} ${gap.to}`}>
                <span class="num">
                  {fullTime(toMicros(gap.from)).slice(0, -7)} to {fullTime(toMicros(gap.to)).slice(0, -7)}
                </span>
                : {shownText(gap.reason)}
              </li>
            ))}
          </ul>
        </details>
      )}
    </section>
  )
}

function ApiCard({ api }: { api: SourcesAnswer['api'] }) {
  const good = api.redis.ok && api.history.ok
  return (
    <section class={`source-card level-${good ? 'good' : 'bad'}`} aria-label="API">
      <h2>
        <span class="source-state">{good ? 'up' : 'degraded'}</span> API
      </h2>
      <p>
        Redis: {api.redis.ok ? 'answers' : 'does not answer'}
        {api.redis.detail !== '' && `. ${shownText(api.redis.detail)}`}
        {!api.redis.ok && ' Check REDIS_URL and that Redis runs.'}
      </p>
      <p>
        History: {api.history.ok ? 'keeps' : 'does not take messages'}
        {api.history.detail !== '' && `. ${shownText(api.history.detail)}`}
        {!api.history.ok && ' Check DATA_DIR (space, permission) or HISTORY_URL; the bus holds what waits.'}
      </p>
      <Counters counters={{ ...api.counters, 'waiting for history': api.backlog }} />
    </section>
  )
}

/** What counted something first; the zeros are behind a line that says how many there are. */
function Counters({ counters }: { counters: Readonly<Record<string, number>> }) {
  const entries = Object.entries(counters)
  const counted = entries.filter(([, value]) => value !== 0)
  const zeros = entries.filter(([, value]) => value === 0)
  return (
    <>
      {counted.length > 0 && <CounterList entries={counted} />}
      {zeros.length > 0 && (
        <details class="zeros">
          <summary>{plural(zeros.length, 'counter')} at 0</summary>
          <CounterList entries={zeros} />
        </details>
      )}
    </>
  )
}

function CounterList({ entries }: { entries: readonly (readonly [string, number])[] }) {
  return (
    <dl class="counters">
      {entries.map(([name, value]) => (
        <div key={name}>
          <dt title={shownText(name)}>{shownText(counterText(name))}</dt>
          <dd class="num">{countText(value)}</dd>
        </div>
      ))}
    </dl>
  )
}
