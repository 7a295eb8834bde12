import { useState } from 'preact/hooks'
import { type DeepLink, readDeepLink, withoutOpen } from '../../state/deep-link.ts'
import { navigate, pageLocation } from '../../state/location.ts'
import type { OpenTarget } from '../../state/open-call.ts'
import { CallMissing } from './call-missing.tsx'
import { callHref } from './link-pane.tsx'
import { ResolvePane } from './resolve-pane.tsx'

/** A Call-ID that the history does not have. Where the address also says when, what was near is offered. */
export function MissingCall(props: {
  target: OpenTarget & { readonly kind: 'call' }
  onRetry: () => void
  onFindText: (text: string) => void
}) {
  const { target, onRetry, onFindText } = props
  // It came between the two questions; asked again by a person, so that two answers that disagree make no loop.
  const [isThere, setIsThere] = useState(false)
  const linked = readDeepLink(pageLocation.value.params)
  // What came by a click, or is of an import, is no link.
  if (linked === null || linked.call !== target.callId || target.capture !== null || isThere)
    return (
      <CallMissing
        link={{ call: target.callId, at: null, from: null, to: null }}
        onRetry={onRetry}
        onFindText={onFindText}
      />
    )
  return (
    <ResolvePane
      link={linked}
      hrefOf={callHref}
      onFound={(callId) => {
        if (callId === target.callId) setIsThere(true)
        else navigate('/capture', asLink(linked), 'replace')
      }}
      onFindText={onFindText}
    />
  )
}

/** `?callId=` with another id than a Call-ID → the link that it means. */
function asLink({ call, at }: DeepLink): URLSearchParams {
  const params = withoutOpen(pageLocation.peek().params)
  if (call !== null) params.set('call', call)
  if (at !== null) params.set('at', at.given)
  return params
}
