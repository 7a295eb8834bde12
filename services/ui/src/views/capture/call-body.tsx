import { useEffect, useRef, useState } from 'preact/hooks'
import { useLazyPart } from '../../components/lazy-part.ts'
import { phoneQuery, useMediaQuery } from '../../components/media-query.ts'
import { plural } from '../../format/number.ts'
import type { CallDrawing } from '../../state/call-drawing.ts'
import type { OpenCallModel, OpenTarget } from '../../state/open-call.ts'
import { GhostView } from '../ladder/ghost-view.tsx'
import { LadderTools } from '../ladder/ladder-tools.tsx'
import { LegList } from '../ladder/leg-list.tsx'
import { MessageList } from './message-list.tsx'
import { MessageView } from './message-view.tsx'
import { type LadderOptions, SipLadderPanel } from './SipLadderPanel.tsx'
import { ReadingBanner } from './reading-banner.tsx'
import { VerdictBanner } from './verdict-banner.tsx'

const loadDiff = () => import('../ladder/diff-view.tsx')

const loadQuality = () => import('../quality/quality-panel.tsx')

type Tab = 'ladder' | 'list' | 'quality'
const tabNames: Readonly<Record<Tab, string>> = { ladder: 'Ladder', list: 'Messages', quality: 'Quality' }

/** A registration and its like have no media. */
const hasMedia = (state: string): boolean => state !== 'registration' && state !== 'other'

/** A call: verdict, ladder or list, and beside it one message in full, or two compared. */
export function CallBody(props: {
  open: OpenCallModel
  drawing: CallDrawing
  target: OpenTarget & { readonly kind: 'call' }
}) {
  const { open, drawing, target } = props
  const [tab, setTab] = useState<Tab>('ladder')
  const [options, setOptions] = useState<LadderOptions>({ isFolded: true, isToScale: false, onlyLeg: null })
  const [marked, setMarked] = useState<readonly string[]>([])
  const right = useRef<HTMLDivElement>(null)
  const phone = useMediaQuery(phoneQuery)
  const diff = useLazyPart(loadDiff, marked.length > 0)
  const quality = useLazyPart(loadQuality, tab === 'quality')
  const { call, legs, rows, ladder, unparsed } = drawing.drawn.value
  const { sightings } = ladder
  const selectedId = open.selectedId.value
  const selected = sightings.find((sighting) => sighting.all.some((one) => one.id === selectedId)) ?? null
  const ghost = ladder.arrows.find((arrow) => arrow.ghost !== null && arrow.id === selectedId) ?? null
  const isNothing = selected === null && ghost === null

  useEffect(() => {
    if (target.capture !== null) void drawing.learnImportEnd(target.capture)
  }, [target.capture])
  // Opening a call shows its first message, so that the right half is never blank.
  useEffect(() => {
    const first = sightings[0]
    // The message that was asked for may still come.
    const isAwaited = call === null && selectedId !== null
    if (isNothing && !isAwaited && first !== undefined) open.selectedId.value = first.message.id
  }, [sightings.length, isNothing, call === null])

  if (rows.length === 0)
    return (
      <div class="empty" role="status">
        <h2>Opening the call …</h2>
      </div>
    )
  const toMessage = () => {
    right.current?.scrollIntoView({ block: 'start' })
    right.current?.focus({ preventScroll: true })
  }
  const select = (id: string) => {
    open.selectedId.value = id
    // On a phone the message is below the ladder: shown where the tap has its answer.
    if (phone) right.current?.scrollIntoView({ block: 'start' })
  }
  const mark = (id: string) => {
    if (!sightings.some((sighting) => sighting.id === id)) return
    setMarked(marked.includes(id) ? marked.filter((one) => one !== id) : [...marked, id].slice(-2))
  }
  const tabs = (['ladder', 'list', 'quality'] as const).filter(
    (one) => one !== 'quality' || (call !== null && hasMedia(call.state)),
  )
  const pair = sightings.filter(({ id }) => marked.includes(id))
  const [before, after] = pair
  const shownId = selected?.message.id ?? selectedId
  return (
    <>
      {call === null ? (
        <ReadingBanner open={open} />
      ) : (
        <VerdictBanner
          findings={call.findings}
          sightings={sightings}
          onSelect={select}
          optionsProblem={call.optionsProblem}
          comparisonLink={
            target.capture === null ? `/comparison?callId=${encodeURIComponent(target.callId)}` : undefined
          }
        />
      )}
      {call !== null && (call.truncated || unparsed > 0) && (
        <p class="notice" role="note">
          {call.truncated &&
            `Only the first ${plural(rows.length, 'record')} are shown; the export has them all. `}
          {unparsed > 0 &&
            `${plural(unparsed, 'record')} could not be read as SIP and ${unparsed === 1 ? 'is' : 'are'} not drawn.`}
        </p>
      )}
      <div class="detail-body">
        <div class="detail-left">
          <div class="ladder-bar">
            <div class="tabs" role="tablist" aria-label="Call view">
              {tabs.map((one) => (
                <button
                  key={one}
                  type="button"
                  role="tab"
                  aria-selected={tab === one}
                  onClick={() => setTab(one)}
                >
                  {tabNames[one]}
                </button>
              ))}
            </div>
            {tab === 'ladder' && call !== null && (
              <LadderTools call={call} ladder={ladder} options={options} onChange={setOptions} />
            )}
          </div>
          {tab === 'ladder' ? (
            <>
              <LegList
                ladder={ladder}
                legs={legs}
                onlyLeg={options.onlyLeg}
                onChange={(onlyLeg) => setOptions({ ...options, onlyLeg })}
              />
              <SipLadderPanel
                ladder={ladder}
                isWhole={call !== null}
                options={options}
                selectedId={ghost === null ? shownId : ghost.id}
                marked={marked}
                onSelect={select}
                onOpen={toMessage}
                onMark={mark}
                onUnmark={() => setMarked([])}
              />
              {marked.length === 1 && (
                <p class="mark-hint" role="status">
                  One message marked: mark another with Space to compare them. Esc unmarks.
                </p>
              )}
            </>
          ) : tab === 'quality' ? (
            quality.part !== null &&
            call !== null && (
              <quality.part.QualityPanel
                callId={target.callId}
                capture={target.capture}
                isRunning={call.endedAt === null}
              />
            )
          ) : (
            <MessageList sightings={sightings} selectedId={shownId} onSelect={select} />
          )}
        </div>
        <div class="detail-right" ref={right} tabIndex={-1}>
          {before !== undefined && after !== undefined ? (
            diff.part !== null && (
              <diff.part.DiffView left={before.message} right={after.message} onClose={() => setMarked([])} />
            )
          ) : ghost !== null ? (
            <GhostView arrow={ghost} />
          ) : (
            selected !== null && (
              <MessageView
                key={selected.message.id}
                sightings={selected.all}
                rows={rows}
                firstAtMicros={sightings[0]?.message.atMicros ?? 0}
                onCompare={() => mark(selected.id)}
                isMarked={marked.includes(selected.id)}
              />
            )
          )}
        </div>
      </div>
    </>
  )
}
