import { type DeepLink, withoutOpen } from '../../state/deep-link.ts'
import { pageLocation } from '../../state/location.ts'
import type { OpenCallModel } from '../../state/open-call.ts'
import { ResolvePane } from './resolve-pane.tsx'

/** The detail pane while the address holds a link that is not a call yet. */
export function LinkPane(props: {
  link: DeepLink
  open: OpenCallModel
  onClose: () => void
  onFindText: (text: string) => void
}) {
  const { link, open, onClose } = props
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
        <h2 class="detail-title">Link to a call</h2>
      </header>
      <ResolvePane
        link={link}
        hrefOf={callHref}
        onFound={(callId) => open.open({ kind: 'call', callId, capture: null }, { expected: false })}
        onFindText={props.onFindText}
      />
    </section>
  )
}

/** The address of a call, with the filter as it is. */
export function callHref(callId: string): string {
  const params = withoutOpen(pageLocation.peek().params)
  params.set('callId', callId)
  return `/capture?${params}`
}
