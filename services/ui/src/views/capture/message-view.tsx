import type { MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import type { MessageSight } from '@sip-capture/contract/rest/message.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { useMemo, useState } from 'preact/hooks'
import { CopyButton } from '../../components/copy-button.tsx'
import { MessageName } from '../../components/message-name.tsx'
import { partyText } from '../../format/address.ts'
import { sizeText } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { sourceNames } from '../../format/source.ts'
import { fullTime, offsetText, toMicros, zoneText } from '../../format/time.ts'
import { toBytes } from '../../state/observed.ts'
import { HeaderList } from './header-list.tsx'
import { RawText } from './raw-text.tsx'
import { SdpView } from './sdp-view.tsx'

/** A payload on a SIP port that is none. */
const notSip = { kind: 'unparsed', status: null, method: '', reason: '' } as const

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** One message in full, as any of its sources saw it: facts, headers one by one, SDP, raw text. */
export function MessageView(props: {
  sightings: readonly ObservedMessage[]
  rows: readonly MessageSight[]
  firstAtMicros: number
  /** Marks the message for comparison. */
  onCompare?: () => void
  isMarked?: boolean
}) {
  const candidates = props.sightings.length === 0 ? props.rows : props.sightings
  const [chosen, setChosen] = useState(0)
  const [tab, setTab] = useState<'headers' | 'sdp' | 'raw'>('headers')
  const id = (candidates[chosen] ?? candidates[0])?.id
  const row = props.rows.find((one) => one.id === id)
  const bytes = useMemo(() => toBytes(row?.rawBase64 ?? ''), [row?.rawBase64])
  const parsed = useMemo(() => parseMessage(bytes), [bytes])
  if (row === undefined) return null
  const raw = decoder.decode(bytes)
  const atMicros = toMicros(row.at)
  const view = parsed.ok ? tab : 'raw'
  return (
    <article class="message" data-testid="message">
      <header class="message-head">
        <p class="message-line">
          <MessageName row={parsed.ok ? parsed.message : notSip} />
          <span class="mono start-line">{shownText(parsed.ok ? parsed.message.startLine : '')}</span>
        </p>
        <p class="message-facts">
          <span class="num">{fullTime(atMicros)}</span> <span class="faint">{zoneText(atMicros)}</span>
          {row.precisionMicros >= 1_000_000 && <span class="warn"> whole seconds only</span>}
          <span class="num"> · {offsetText(atMicros - props.firstAtMicros)}</span>
          <span>
            {' '}
            · {shownText(row.transport)} {partyText(row.src)} → {partyText(row.dst)} ·{' '}
            {sizeText(bytes.length)}
          </span>
          {row.direction !== 'unknown' && (
            <span> · {row.direction === 'in' ? 'to the PBX' : 'from the PBX'}</span>
          )}
          {row.copies > 1 && <span> · {row.copies} copies on the wire</span>}
        </p>
        {row.problems.length > 0 && (
          <p class="message-problems">
            <b>Noted: </b>
            {shownText(row.problems.join('; '))}
          </p>
        )}
        <div class="message-tools">
          <div class="tabs" role="tablist" aria-label="Message view">
            {parsed.ok && (
              <button
                type="button"
                role="tab"
                aria-selected={view === 'headers'}
                onClick={() => setTab('headers')}
              >
                Headers
              </button>
            )}
            {parsed.ok && parsed.message.hasSdp && (
              <button type="button" role="tab" aria-selected={view === 'sdp'} onClick={() => setTab('sdp')}>
                SDP
              </button>
            )}
            <button type="button" role="tab" aria-selected={view === 'raw'} onClick={() => setTab('raw')}>
              Raw
            </button>
          </div>
          {candidates.length > 1 && (
            <div class="segments" role="group" aria-label="As seen by">
              {candidates.map((candidate, index) => (
                <button
                  key={candidate.id}
                  type="button"
                  aria-pressed={index === chosen}
                  onClick={() => setChosen(index)}
                >
                  {sourceNames[candidate.source as MessageSource].badge}
                </button>
              ))}
            </div>
          )}
          {props.onCompare !== undefined && (
            <button
              type="button"
              class="toggle"
              aria-pressed={props.isMarked === true}
              title="Mark this message; two marked ones are compared (Space in the ladder)"
              onClick={props.onCompare}
            >
              {props.isMarked === true ? 'Marked' : 'Compare'}
            </button>
          )}
          <CopyButton text={raw} label="Copy" />
        </div>
        <p class="faint source-meaning">{sourceNames[row.source].meaning}</p>
      </header>
      {!parsed.ok && <p class="notice">Not readable as SIP: {shownText(parsed.problem)}</p>}
      {view === 'headers' && parsed.ok && <HeaderList headers={parsed.message.headers} />}
      {view === 'sdp' && parsed.ok && <SdpView body={parsed.message.body} />}
      {view === 'raw' && <RawText text={raw} />}
    </article>
  )
}
