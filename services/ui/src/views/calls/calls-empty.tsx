import type { ComponentChildren } from 'preact'
import type { CallsModel } from '../../state/calls.ts'
import { everyCall } from '../../state/calls-filter.ts'
import type { LinkState } from '../../state/live-feed.ts'

/** An empty log says why it is empty and what to do next. */
export function CallsEmpty(props: { calls: CallsModel; link: LinkState; isReadable: boolean }) {
  const { calls, link, isReadable } = props
  const filter = calls.filter.value
  if (!isReadable)
    return (
      <Message title="This search cannot be read">
        <p>The search bar says where and why.</p>
      </Message>
    )
  if (link === 'lost')
    return (
      <Message title="The API does not answer">
        <p>The page tries again by itself; the calls are here as soon as it does.</p>
      </Message>
    )
  if (!calls.settled.value && calls.problem.value !== null)
    return (
      <Message title="The call log could not be asked">
        <button type="button" class="button" onClick={() => calls.retry()}>
          Try again
        </button>
      </Message>
    )
  if (!calls.settled.value) return <Message title="Asking the call log …" />
  if (filter.q !== '' || filter.sinceMicros !== null || filter.untilMicros !== null)
    return (
      <Message title="No call that matches">
        <p>
          Try a wider time range or fewer words. <code>-</code> before a word leaves out, <code>OR</code> lets
          either match, <code>*</code> stands for anything; <code>trunk:</code> must match exactly.
        </p>
        <button
          type="button"
          class="button"
          onClick={() => calls.setFilter({ ...everyCall, capture: filter.capture })}
        >
          All calls
        </button>
      </Message>
    )
  if (filter.capture !== null)
    return (
      <Message title="No call in this import">
        <p>It may still be read, it may hold no INVITE, or it was deleted.</p>
        <a class="button" href="/exports">
          See all imports
        </a>
      </Message>
    )
  return (
    <Message title="No call yet">
      <p>Place a call: it appears here when its INVITE passes, and its state follows it.</p>
      <p>
        If you did and nothing came, <a href="/sources">Sources</a> says what is connected and what was lost;
        a capture file dropped on the page is imported.
      </p>
    </Message>
  )
}

function Message({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty" role="status">
      <h2>{title}</h2>
      {children}
    </div>
  )
}
