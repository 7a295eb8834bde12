import { useEffect, useMemo } from 'preact/hooks'
import { AccessDialog } from '../../components/access-dialog.tsx'
import { shownText } from '../../format/shown-text.ts'
import { accessRefused, accessToken } from '../../state/access.ts'
import { CallDrawing } from '../../state/call-drawing.ts'
import { readDeepLink, withoutOpen } from '../../state/deep-link.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import type { OpenCallModel, OpenTarget } from '../../state/open-call.ts'
import type { SourcesModel } from '../../state/sources.ts'
import { CallBody } from '../capture/call-body.tsx'
import { DetailTitle } from '../capture/detail-pane.tsx'
import { LinkNote } from '../resolve/link-note.tsx'
import { ResolvePane } from '../resolve/resolve-pane.tsx'

const refetchMillis = 3000
const running = new Set(['setting-up', 'ringing', 'in-call'])

/** `/embed/call?call=…&at=…&theme=…`: one call for a frame in another page: verdict, ladder, messages; it changes nothing. */
export function EmbedPage({ open, sources }: { open: OpenCallModel; sources: SourcesModel }) {
  const drawing = useMemo(() => new CallDrawing(open, sources), [open, sources])
  useEffect(() => () => drawing.close(), [drawing])
  const { path, params } = pageLocation.value
  const link = path === '/embed/call' ? readDeepLink(params) : null
  const target = open.target.value
  useTheme(params.get('theme'))
  useFreshness(open, sources)
  useEffect(() => open.close(), [link?.call, link?.at?.given])

  return (
    <main class="embed" aria-label="SIP call">
      {target?.kind === 'call' ? (
        <EmbeddedCall open={open} drawing={drawing} target={target} id={link?.call ?? null} />
      ) : link === null ? (
        <div class="empty" role="alert">
          <h1>No call is named</h1>
          <p>
            <code>/embed/call?call=…</code> wants a Call-ID, Uniqueid, Linkedid or channel;{' '}
            <code>&amp;at=…</code> a time.
          </p>
        </div>
      ) : (
        <div class="embed-resolve">
          <ResolvePane
            link={link}
            hrefOf={embedHref}
            onFound={(callId) => open.open({ kind: 'call', callId, capture: null }, { expected: false })}
            onChoose={(callId) => navigate('/embed/call', embedParams(callId))}
          />
        </div>
      )}
      {accessRefused.value && (
        <AccessDialog
          wrong={accessToken.value !== ''}
          onToken={() => {
            void sources.load()
            if (open.target.peek() !== null) open.retry()
          }}
        />
      )}
    </main>
  )
}

function EmbeddedCall(props: {
  open: OpenCallModel
  drawing: CallDrawing
  target: OpenTarget & { readonly kind: 'call' }
  id: string | null
}) {
  const { open, drawing, target, id } = props
  const problem = open.problem.value
  return (
    <section class="detail" aria-label="Call">
      <header class="detail-head">
        <DetailTitle open={open} drawing={drawing} />
        <a class="button" href={`/capture?callId=${encodeURIComponent(target.callId)}`} rel="noopener">
          Open in SIP Capture<span aria-hidden="true"> ↗</span>
        </a>
      </header>
      {problem !== null && problem.kind !== 'unauthorized' ? (
        <div class="empty" role="alert">
          <h2>The call could not be opened</h2>
          <p>{shownText(problem.message)}</p>
          <button type="button" class="button" onClick={() => open.retry()}>
            Try again
          </button>
        </div>
      ) : (
        <>
          <LinkNote id={id} call={open.call.value} />
          <CallBody open={open} drawing={drawing} target={target} />
        </>
      )}
    </section>
  )
}

function embedParams(callId: string): URLSearchParams {
  const params = withoutOpen(pageLocation.peek().params)
  params.set('call', callId)
  return params
}

const embedHref = (callId: string) => `/embed/call?${embedParams(callId)}`

/** The framing page says how it looks; nothing is kept. Otherwise the system's choice. */
function useTheme(theme: string | null): void {
  useEffect(() => {
    if (theme === 'dark' || theme === 'light') document.documentElement.dataset['theme'] = theme
    else delete document.documentElement.dataset['theme']
  }, [theme])
}

/** A frame may be one of many on a page, so it holds no WebSocket; a call that goes on is asked for again. */
function useFreshness(open: OpenCallModel, sources: SourcesModel): void {
  useEffect(() => {
    void sources.load()
    const timer = setInterval(() => {
      const call = open.call.peek()
      const target = open.target.peek()
      if (document.hidden || target?.kind !== 'call' || call === null || !running.has(call.state)) return
      open.onUpdated([target.callId])
    }, refetchMillis)
    return () => clearInterval(timer)
  }, [open, sources])
}
