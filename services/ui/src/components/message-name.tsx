import type { MessageRow } from '@sip-capture/contract/rest/message.ts'
import { shownText } from '../format/shown-text.ts'
import { lookName, lookOf, lookSign } from '../format/status.ts'
import { messageText } from '../state/attributes.ts'

export type NamedMessage = Pick<MessageRow, 'kind' | 'status' | 'method' | 'reason'>

/** `▸ INVITE`, `✓ 200 OK  INVITE`: colour, sign and words say the same. */
export function MessageName({ row }: { row: NamedMessage }) {
  const look = lookOf(row)
  return (
    <span class={`message-name look-${look}`}>
      <span class="look-sign" title={lookName[look]} aria-hidden="true">
        {lookSign[look]}
      </span>
      <span class="look-text">{messageText(row)}</span>
      {row.status !== null && row.method !== '' && <span class="look-method">{shownText(row.method)}</span>}
    </span>
  )
}
