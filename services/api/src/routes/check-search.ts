import type { MessageFilter } from '@sip-capture/contract/rest/message.ts'
import { toMessageQuery } from '@sip-capture/contract/search/message-query.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'

/** A search that cannot be read is the caller's fault, said before anyone works on it. @throws SearchError */
export function checkSearch(filter: MessageFilter): void {
  toMessageQuery(filter, { nowMicros: nowMicros() })
}
