import type { ReadonlySignal } from '@preact/signals'
import type { CallRow } from '@sip-capture/contract/rest/call-log.ts'
import type { ComponentChildren } from 'preact'
import { callStateLooks, isRunning } from '../../format/call-state.ts'
import { clockDuration, waitText } from '../../format/call-time.ts'
import { severitySigns } from '../../format/severity.ts'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, rowTime, toMicros, zoneText } from '../../format/time.ts'

/** What a cell may need besides its call. */
export interface CellContext {
  /** Ticks each second; read only by cells of running calls. */
  readonly nowMillis: ReadonlySignal<number>
  /** For the day before a time that is not today's. */
  readonly todayMillis: number
}

/** One column of the call log: heads, cells and the phone's cards all come from here. */
export interface CallColumn {
  readonly id: string
  readonly label: string
  /** What the head says to whoever asks. */
  readonly about: string
  readonly isNumeric?: boolean
  readonly title?: (row: CallRow) => string
  readonly cell: (row: CallRow, context: CellContext) => ComponentChildren
}

const partyTitle = ({ number, name }: CallRow['from']) =>
  shownText(name === '' || name === number ? number : `${name} ‹${number}›`)

function PartyCell({ party }: { party: CallRow['from'] }) {
  const { number, name } = party
  return (
    <>
      <span class="call-number">{shownText(number.slice(0, 120))}</span>
      {name !== '' && name !== number && <span class="faint"> {shownText(name.slice(0, 120))}</span>}
    </>
  )
}

export function StateCell({ state }: { state: CallRow['state'] }) {
  const { look, sign, word } = callStateLooks[state]
  return (
    <span class={`call-state look-${look}`}>
      <span class="look-sign" aria-hidden="true">
        {sign}
      </span>
      <span class="look-text">{word}</span>
    </span>
  )
}

function VerdictCell({ verdict }: Pick<CallRow, 'verdict'>) {
  if (verdict === null) return null
  const { sign, word } = severitySigns[verdict.severity]
  return (
    <span class={`call-verdict severity-${verdict.severity}`}>
      <span class="severity-sign" aria-hidden="true">
        {sign}
      </span>
      <span class="visually-hidden">{word}: </span>
      <span class="call-verdict-title">{shownText(verdict.title)}</span>
    </span>
  )
}

/** Counts on while the call does. */
function Ticking({ sinceMicros, context }: { sinceMicros: number; context: CellContext }) {
  return <>{clockDuration(context.nowMillis.value - sinceMicros / 1000)}</>
}

const wait = (millis: number | null) => (millis === null ? '' : waitText(millis))

export const callColumns: readonly CallColumn[] = [
  {
    id: 'start',
    label: 'Start',
    about: 'First INVITE',
    title: ({ startedAt }) => `${fullTime(toMicros(startedAt))} ${zoneText(toMicros(startedAt))}`,
    cell: ({ startedAt }, { todayMillis }) => rowTime(toMicros(startedAt), todayMillis).slice(0, -4),
  },
  {
    id: 'from',
    label: 'From',
    about: 'Caller: number and name',
    title: ({ from }) => partyTitle(from),
    cell: ({ from }) => <PartyCell party={from} />,
  },
  {
    id: 'to',
    label: 'To',
    about: 'Called: number and name',
    title: ({ to }) => partyTitle(to),
    cell: ({ to }) => <PartyCell party={to} />,
  },
  {
    id: 'trunk',
    label: 'Trunk',
    about: 'Trunks of all legs',
    title: ({ trunks }) => shownText(trunks.join(', ')),
    cell: ({ trunks }) => shownText(trunks.join(', ').slice(0, 200)),
  },
  {
    id: 'state',
    label: 'State',
    about: 'Where the call stands',
    cell: ({ state }) => <StateCell state={state} />,
  },
  {
    id: 'code',
    label: 'Code',
    about: 'Final status code of the caller’s INVITE, and the Q.850 cause',
    isNumeric: true,
    title: ({ code, reason, cause, causeText, techCause }) =>
      shownText(
        [
          code === null ? '' : `${code} ${reason}`,
          cause === null ? '' : `Q.850 ${cause} ${causeText}`,
          techCause,
        ]
          .filter(Boolean)
          .join(' · '),
      ),
    cell: ({ code, cause }) => (
      <>
        {code}
        {cause !== null && <span class="faint"> q{cause}</span>}
      </>
    ),
  },
  {
    id: 'duration',
    label: 'Duration',
    about: 'First INVITE to the end; of a running call until now',
    isNumeric: true,
    title: ({ talkMillis }) => (talkMillis === null ? '' : `talk time ${clockDuration(talkMillis)}`),
    cell: (row, context) =>
      isRunning(row) ? (
        <Ticking sinceMicros={toMicros(row.startedAt)} context={context} />
      ) : row.durationMillis === null ? (
        ''
      ) : (
        clockDuration(row.durationMillis)
      ),
  },
  {
    id: 'ring',
    label: 'Ring',
    about: 'First 18x to the final answer',
    isNumeric: true,
    cell: (row, context) =>
      row.state === 'ringing' && isRunning(row) ? (
        <Ticking sinceMicros={toMicros(row.startedAt) + (row.pddMillis ?? 0) * 1000} context={context} />
      ) : (
        wait(row.ringMillis)
      ),
  },
  {
    id: 'pdd',
    label: 'PDD',
    about: 'Post-dial delay: INVITE to the first 18x',
    isNumeric: true,
    cell: ({ pddMillis }) => wait(pddMillis),
  },
  {
    id: 'verdict',
    label: 'Verdict',
    about: 'What the rules say first, the worst before the rest',
    title: ({ verdict }) => shownText(verdict?.sentence ?? ''),
    cell: ({ verdict }) => <VerdictCell verdict={verdict} />,
  },
  {
    id: 'legs',
    label: 'Legs',
    about: 'Call-IDs that belong together',
    isNumeric: true,
    cell: ({ legs }) => legs,
  },
]
