import type { SourcesModel } from '../../state/sources.ts'
import type { CaptureModel } from '../../state/capture.ts'
import { emptyFilter, isNarrowed } from '../../state/capture-filter.ts'
import type { LinkState } from '../../state/live-feed.ts'
import { shownText } from '../../format/shown-text.ts'

/** An empty table says why it is empty and what to do next. */
export function EmptyState(props: { capture: CaptureModel; sources: SourcesModel; link: LinkState }) {
  const { capture, sources, link } = props
  const filter = capture.filter.value
  const { hiddenNoise } = capture.shown.value
  const showAll = () => capture.setFilter({ ...emptyFilter, mode: filter.mode, capture: filter.capture })

  if (capture.loading.value) return <Message title="Asking the history …" />
  if (capture.unreadable.value)
    return (
      <Message title="This search cannot be read">
        <p>The search bar says where and why. Nothing is shown until it is mended.</p>
      </Message>
    )
  if (link === 'lost')
    return (
      <Message title="The API does not answer">
        <p>
          The page tries again by itself. If it lasts: is the api service running, and does{' '}
          <code>API_URL</code> of the page server point at it? From another machine{' '}
          <code>ALLOWED_ORIGINS</code> must name this page's address.
        </p>
      </Message>
    )
  if (hiddenNoise > 0 && !isNarrowed(filter))
    return (
      <Message title="Only OPTIONS and REGISTER so far, and they are hidden">
        <button type="button" class="button" onClick={showAll}>
          Show them
        </button>
      </Message>
    )
  if (isNarrowed(filter) || filter.hideNoise)
    return (
      <Message
        title={
          filter.mode === 'live'
            ? 'Nothing that passes the filter yet'
            : 'Nothing in the history passes the filter'
        }
      >
        <p>
          {filter.mode === 'live'
            ? 'New traffic that matches appears here by itself. Call-ID and trunk must match exactly, upper and lower case too.'
            : 'Try a wider time range, or fewer words. Call-ID and trunk must match exactly, upper and lower case too.'}
        </p>
        <button type="button" class="button" onClick={showAll}>
          Clear all filters
        </button>
      </Message>
    )
  if (filter.capture !== null)
    return (
      <Message title="No SIP message of this import is here">
        <p>It may still be read, it may hold no SIP, or it was deleted.</p>
        <p>
          <a href="/exports">See all imports</a>
        </p>
      </Message>
    )
  const working = sources.items.value.filter((source) => !source.stale && source.state !== 'off')
  const receiving = working.filter((source) => source.state === 'up' || source.state === 'degraded')
  if (sources.answer.value !== null && receiving.length === 0)
    return (
      <Message title="No source is connected">
        <p>
          Name your Asterisk in <code>AMI_HOST</code>, <code>AMI_USERNAME</code> and <code>AMI_SECRET</code>{' '}
          of the ami-bridge, or switch the network capture on with <code>TSHARK_ENABLED=true</code>.
        </p>
        {sources.items.value
          .filter((source) => source.detail !== '')
          .map((source) => (
            <p key={`${source.kind} ${source.node}`} class="mono">
              {source.kind === 'ami' ? 'ami-bridge' : 'capture-sidecar'}: {shownText(source.detail)}
            </p>
          ))}
        <p>
          <a href="/sources">See every source</a>
        </p>
      </Message>
    )
  return (
    <Message title={filter.mode === 'live' ? 'Listening. No SIP message yet' : 'The history is empty'}>
      <p>
        {filter.mode === 'live'
          ? 'Place a call, or register a phone: its messages appear here as they pass.'
          : 'Nothing was captured yet. Live traffic is kept here as it arrives.'}
      </p>
    </Message>
  )
}

function Message(props: { title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="empty" role="status">
      <h2>{props.title}</h2>
      {props.children}
    </div>
  )
}
