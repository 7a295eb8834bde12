import type { SipMessage } from './message.ts'

/** The nil UUID stands for an end that is not known yet. */
const nil = '0'.repeat(32)

/** Both UUIDs of Session-ID (local and `remote`) in lower case without the nil one, RFC 7989 5; the older form has one
 *  (RFC 7329). Empty where there is no valid one. */
export function canonicalSessionIds(message: SipMessage): string[] {
  const value = message.header('session-id') ?? ''
  const local = /^\s*([0-9a-f]{32})\s*(?:;|$)/i.exec(value)?.[1]
  const remote = /;\s*remote\s*=\s*([0-9a-f]{32})\s*(?:;|$)/i.exec(value)?.[1]
  return [local, remote].flatMap((id) => (id === undefined || id === nil ? [] : [id.toLowerCase()]))
}
