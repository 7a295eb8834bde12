import { useEffect, useMemo } from 'preact/hooks'
import { CopyButton } from '../../components/copy-button.tsx'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { clockTime, toMicros } from '../../format/time.ts'
import { CallDrawing } from '../../state/call-drawing.ts'
import { readDeepLink } from '../../state/deep-link.ts'
import { pageLocation } from '../../state/location.ts'
import type { OpenCallModel } from '../../state/open-call.ts'
import type { SourcesModel } from '../../state/sources.ts'
import { CallBody } from './call-body.tsx'
import { ExportMenu } from './export-menu.tsx'
import { KeepButton } from './keep-button.tsx'
import { LinkNote } from '../resolve/link-note.tsx'
import { MissingCall } from '../resolve/missing-call.tsx'
import { MessageView } from './message-view.tsx'

/** What the call was, and why: verdict, ladder, messages, and one message in full. */
export function DetailPane(props: {
  open: OpenCallModel
  sources: SourcesModel
  onClose: () => void
  onFindText: (text: string) => void
}) {
  const { open, sources, onClose } = props
  const drawing = useMemo(() => new CallDrawing(open, sources), [open, sources])
  useEffect(() => () => drawing.close(), [drawing])
  const target = open.target.value
  if (target === null) return null
  const problem = open.problem.value
  return (
    <section class="detail" aria-label="Details" data-testid="detail">
      <header class="detail-head">
        <button
          type="button"
          class="button close"
          aria-label="Close details (Esc)"
          title="Close (Esc)"
          onClick={onClose}
        >
          <span aria-hidden="true">✕</span>
          <span class="close-text"> Close</span>
        </button>
        <DetailTitle open={open} drawing={drawing} />
        {target.kind === 'call' && open.call.value !== null && (
          <>
            <KeepButton open={open} target={target} />
            <ExportMenu call={target} />
          </>
        )}
      </header>
      {problem !== null && problem.kind === 'missing' && target.kind === 'call' ? (
        <MissingCall target={target} onFindText={props.onFindText} onRetry={() => open.retry()} />
      ) : problem !== null && problem.kind !== 'unauthorized' ? (
        <div class="empty" role="alert">
          <h2>This could not be opened</h2>
          <p>{shownText(problem.message)}</p>
          <button type="button" class="button" onClick={() => open.retry()}>
            Try again
          </button>
        </div>
      ) : target.kind === 'call' ? (
        <>
          <LinkNote id={readDeepLink(pageLocation.value.params)?.call ?? null} call={open.call.value} />
          <CallBody
            key={`${target.capture ?? ''} ${target.callId}`}
            open={open}
            drawing={drawing}
            target={target}
          />
        </>
      ) : (
        <LoneMessage open={open} />
      )}
    </section>
  )
}

export function DetailTitle({ open, drawing }: { open: OpenCallModel; drawing: CallDrawing }) {
  const target = open.target.value
  const call = open.call.value
  if (target === null) return null
  if (target.kind === 'message') return <h2 class="detail-title">Message outside any call</h2>
  return (
    <h2 class="detail-title">
      {call !== null && (
        <span class="detail-parties">
          {shownText(call.from)} <span aria-hidden="true">→</span>
          <span class="visually-hidden">to</span> {shownText(call.to)}
          <span class={`state state-${call.state}`}>{call.state.replaceAll('-', ' ')}</span>
        </span>
      )}
      <span class="detail-id mono" title={shownText(target.callId.slice(0, 1000))}>
        {shownText(target.callId.slice(0, 200))}
      </span>
      {call !== null && (
        <span class="detail-facts num">
          {clockTime(toMicros(call.startedAt))} ·{' '}
          {plural(drawing.drawn.value.ladder.sightings.length, 'message')}
          {call.legs.length > 1 && ` · ${plural(call.legs.length, 'leg')}`}
        </span>
      )}
    </h2>
  )
}

function LoneMessage({ open }: { open: OpenCallModel }) {
  const message = open.message.value
  if (message === null)
    return (
      <div class="empty" role="status">
        <h2>Opening the message …</h2>
      </div>
    )
  return (
    <div class="detail-body">
      <div class="detail-right">
        <MessageView sightings={[]} rows={[message]} firstAtMicros={toMicros(message.at)} />
        <CopyButton text={message.rawBase64} label="Copy bytes as base64" />
      </div>
    </div>
  )
}
