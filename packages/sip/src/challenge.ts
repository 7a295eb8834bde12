import { splitList, unquote } from './parameters.ts'
import type { SipMessage } from './message.ts'
import { rememberOfMessage } from './remember.ts'

/** A digest challenge or the credentials that answer it, RFC 3261 20.7, 20.27, 20.44 and RFC 7616. */
export interface Digest {
  /** `Digest`, as written. */
  readonly scheme: string
  readonly realm: string
  readonly nonce: string
  readonly username: string
  readonly algorithm: string
  /** `stale=true`: only the nonce is too old, the password was right (RFC 7616 3.3). */
  readonly isStale: boolean
}

/** The value of one WWW-Authenticate, Proxy-Authenticate, Authorization or Proxy-Authorization. Never fails. */
export function parseDigest(value: string): Digest {
  const space = value.indexOf(' ')
  const parameters = new Map<string, string>()
  for (const item of splitList(space < 0 ? '' : value.slice(space + 1), 64)) {
    const equals = item.indexOf('=')
    if (equals > 0)
      parameters.set(item.slice(0, equals).trim().toLowerCase(), unquote(item.slice(equals + 1)))
  }
  return {
    scheme: space < 0 ? value : value.slice(0, space),
    realm: parameters.get('realm') ?? '',
    nonce: parameters.get('nonce') ?? '',
    username: parameters.get('username') ?? '',
    algorithm: parameters.get('algorithm') ?? '',
    isStale: parameters.get('stale')?.toLowerCase() === 'true',
  }
}

/** The challenges of a 401 or 407. */
export const challengesOf = rememberOfMessage((response: SipMessage): readonly Digest[] =>
  digestsOf(response, 'www-authenticate', 'proxy-authenticate'),
)

/** The credentials of a request. */
export const credentialsOf = rememberOfMessage((request: SipMessage): readonly Digest[] =>
  digestsOf(request, 'authorization', 'proxy-authorization'),
)

function digestsOf(message: SipMessage, first: string, second: string): readonly Digest[] {
  return [...message.headerValues(first), ...message.headerValues(second)].map(parseDigest)
}
