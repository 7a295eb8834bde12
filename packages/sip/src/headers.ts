/** Header names: RFC 3261 7.3.3 and 20, compact forms as registered with IANA. */

const wellKnown = [
  'Accept',
  'Accept-Contact',
  'Accept-Encoding',
  'Accept-Language',
  'Alert-Info',
  'Allow',
  'Allow-Events',
  'Authentication-Info',
  'Authorization',
  'Call-ID',
  'Call-Info',
  'Contact',
  'Content-Disposition',
  'Content-Encoding',
  'Content-Language',
  'Content-Length',
  'Content-Type',
  'CSeq',
  'Date',
  'Diversion',
  'Error-Info',
  'Event',
  'Expires',
  'From',
  'History-Info',
  'Identity',
  'Identity-Info',
  'In-Reply-To',
  'Max-Forwards',
  'MIME-Version',
  'Min-Expires',
  'Min-SE',
  'Organization',
  'P-Access-Network-Info',
  'P-Asserted-Identity',
  'P-Charging-Vector',
  'P-Preferred-Identity',
  'Path',
  'Priority',
  'Privacy',
  'Proxy-Authenticate',
  'Proxy-Authorization',
  'Proxy-Require',
  'RAck',
  'Reason',
  'Record-Route',
  'Refer-To',
  'Referred-By',
  'Reject-Contact',
  'Remote-Party-ID',
  'Replaces',
  'Reply-To',
  'Request-Disposition',
  'Require',
  'Retry-After',
  'Route',
  'RSeq',
  'Server',
  'Service-Route',
  'Session-Expires',
  'SIP-ETag',
  'SIP-If-Match',
  'Subject',
  'Subscription-State',
  'Supported',
  'Timestamp',
  'To',
  'Unsupported',
  'User-Agent',
  'Via',
  'Warning',
  'WWW-Authenticate',
] as const

const compact: readonly (readonly [string, string])[] = [
  ['a', 'accept-contact'],
  ['b', 'referred-by'],
  ['c', 'content-type'],
  ['d', 'request-disposition'],
  ['e', 'content-encoding'],
  ['f', 'from'],
  ['i', 'call-id'],
  ['j', 'reject-contact'],
  ['k', 'supported'],
  ['l', 'content-length'],
  ['m', 'contact'],
  ['n', 'identity-info'],
  ['o', 'event'],
  ['r', 'refer-to'],
  ['s', 'subject'],
  ['t', 'to'],
  ['u', 'allow-events'],
  ['v', 'via'],
  ['x', 'session-expires'],
  ['y', 'identity'],
]

const canonicalBySpelling = new Map<string, string>()
const spellingByCanonical = new Map<string, string>()
// The commonest first: recognition tries them in this order.
for (const name of [
  'Via',
  'From',
  'To',
  'Call-ID',
  'CSeq',
  'Contact',
  'Max-Forwards',
  'Content-Type',
  ...wellKnown,
]) {
  const canonical = name.toLowerCase()
  canonicalBySpelling.set(name, canonical)
  canonicalBySpelling.set(canonical, canonical)
  spellingByCanonical.set(canonical, name)
}
for (const [short, canonical] of compact) {
  canonicalBySpelling.set(short, canonical)
  canonicalBySpelling.set(short.toUpperCase(), canonical)
}

/** Every well-known spelling once, in lower case, in an open hash table: the usual header is recognised in place. */
interface KnownName {
  readonly letters: Uint8Array
  readonly canonical: string
}

const slots = 512
const knownNames: (KnownName | undefined)[] = Array.from({ length: slots }, () => undefined)
for (const [name, canonical] of canonicalBySpelling) {
  const letters = Uint8Array.from(name.toLowerCase(), (letter) => letter.charCodeAt(0))
  let hash = 0
  for (const letter of letters) hash = hashHeaderName(hash, letter)
  let slot = hash & (slots - 1)
  while (knownNames[slot] !== undefined && !isName(knownNames[slot], letters, 0, letters.length))
    slot = (slot + 1) & (slots - 1)
  knownNames[slot] ??= { letters, canonical }
}

/** The hash of a name and one letter more, blind to case; 0 is the hash of no letter. */
export function hashHeaderName(hash: number, letter: number): number {
  return (Math.imul(hash, 31) + (letter | 0x20)) | 0
}

/** The long form in lower case of the name from `start` to `end`, whose hash is given; `undefined` if not well known. */
export function knownHeaderName(
  bytes: Uint8Array,
  start: number,
  end: number,
  hash: number,
): string | undefined {
  for (let slot = hash & (slots - 1); ; slot = (slot + 1) & (slots - 1)) {
    const known = knownNames[slot]
    if (known === undefined) return undefined
    if (isName(known, bytes, start, end)) return known.canonical
  }
}

function isName(known: KnownName | undefined, bytes: Uint8Array, start: number, end: number): boolean {
  if (known === undefined) return false
  const { letters } = known
  if (letters.length !== end - start) return false
  // Letters and hyphens: the bit that makes a capital small is set in a hyphen, and a control character is not asked about.
  for (let i = 0; i < letters.length; i++) if (((bytes[start + i] ?? 0) | 0x20) !== letters[i]) return false
  return true
}

/** A header name as written → its long form in lower case (`v` → `via`, `CALL-ID` → `call-id`). Never fails. */
export function canonicalHeaderName(name: string): string {
  const known = canonicalBySpelling.get(name)
  if (known !== undefined) return known
  const lower = name.toLowerCase()
  return canonicalBySpelling.get(lower) ?? lower
}

/** The spelling people know (`call-id` → `Call-ID`); an unknown name comes back as given. */
export function headerSpelling(canonical: string): string {
  return spellingByCanonical.get(canonical) ?? canonical
}
