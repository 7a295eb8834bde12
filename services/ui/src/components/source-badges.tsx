import type { MessageSource } from '@sip-capture/contract/bus/sip-record.ts'
import { sourceNames } from '../format/source.ts'

/** Who saw a message: one badge a source. */
export function SourceBadges({ sources }: { sources: readonly MessageSource[] }) {
  return (
    <span class="badges">
      {sources.map((source) => (
        <span key={source} class={`badge badge-${source}`} title={sourceNames[source].meaning}>
          {sourceNames[source].badge}
        </span>
      ))}
    </span>
  )
}
