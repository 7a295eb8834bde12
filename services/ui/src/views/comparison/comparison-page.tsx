import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import { type CallDifference, goodCallComparison } from '@sip-capture/contract/rest/comparison.ts'
import { useEffect, useState } from 'preact/hooks'
import type { z } from 'zod'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, toMicros } from '../../format/time.ts'
import { type ApiResult, getJson } from '../../state/api-client.ts'
import { pageLocation } from '../../state/location.ts'

type Answer = ApiResult<z.output<typeof goodCallComparison>>

/** A call beside the last good one of its kind: what differs and may matter, leg by leg. */
export function ComparisonPage() {
  const callId = pageLocation.value.params.get('callId') ?? ''
  const [answer, setAnswer] = useState<Answer | null>(null)
  useEffect(() => {
    const abort = new AbortController()
    setAnswer(null)
    const load = async () => {
      const path = `/calls/${encodeURIComponent(callId)}/good`
      const found = await getJson(path, goodCallComparison, abort.signal)
      if (!abort.signal.aborted) setAnswer(found)
    }
    void load()
    return () => abort.abort()
  }, [callId])
  if (answer === null) return <main class="empty">Looking for a good call …</main>
  if (!answer.ok)
    return (
      <main class="empty">
        <h1>This call cannot be compared</h1>
        <p>{shownText(answer.problem.message)}</p>
      </main>
    )
  const { call, good, sentence, differences } = answer.value
  return (
    <main class="sources comparison" aria-label="Compare with a good call">
      <h1>Compare with a good call</h1>
      <p>{shownText(sentence)}</p>
      {good !== null && <DifferenceTable call={call} good={good} differences={differences} />}
    </main>
  )
}

const aspects: Readonly<Record<CallDifference['aspect'], string>> = {
  outcome: 'Outcome',
  codecs: 'Codecs and media',
  headers: 'Headers',
  route: 'Route',
  addresses: 'Addresses',
  numbers: 'Numbers',
  timing: 'Time',
}

function DifferenceTable(props: { call: CallRow; good: CallRow; differences: readonly CallDifference[] }) {
  const { call, good, differences } = props
  const legs = new Set(differences.map(({ leg }) => leg)).size
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">What differs</th>
          <th scope="col">
            <CallHead title="This call" row={call} />
          </th>
          <th scope="col">
            <CallHead title="Good call" row={good} />
          </th>
        </tr>
      </thead>
      <tbody>
        {differences.map(({ aspect, leg, what, bad, good: theirs }) => (
          <tr key={`${leg} ${what} ${theirs}`} data-aspect={aspect}>
            <th scope="row">
              <span class="faint">
                {aspects[aspect]}
                {legs > 1 && leg !== null && ` · leg ${leg}`}
              </span>
              {shownText(what)}
            </th>
            <Value text={bad} />
            <Value text={theirs} />
          </tr>
        ))}
        {differences.length === 0 && (
          <tr>
            <td colSpan={3}>Nothing that matters differs in what was captured.</td>
          </tr>
        )}
      </tbody>
    </table>
  )
}

function Value({ text }: { text: string }) {
  return text === '' ? <td class="faint">none</td> : <td>{shownText(text)}</td>
}

function CallHead({ title, row }: { title: string; row: CallRow }) {
  const [callId = ''] = row.callIds
  return (
    <>
      <a href={`/capture?callId=${encodeURIComponent(callId)}`}>{title}</a>
      <span>
        {shownText(row.from.number)} → {shownText(row.to.number)}, {fullTime(toMicros(row.startedAt))}
      </span>
      <span>{shownText(row.verdict?.title ?? row.state)}</span>
    </>
  )
}
