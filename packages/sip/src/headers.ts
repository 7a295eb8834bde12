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

interface Spelling {
  readonly name: string
  readonly canonical: string
}

/** Well-known spellings by their length: the usual header is recognised in place, without cutting its name out. */
const spellingsByLength: Spelling[][] = []
for (const [name, canonical] of canonicalBySpelling)
  (spellingsByLength[name.length] ??= []).push({ name, canonical })

/** The same as `canonicalHeaderName(text.slice(start, end))`, but fast. */
export function canonicalHeaderNameAt(text: string, start: number, end: number): string {
  const candidates = spellingsByLength[end - start]
  if (candidates !== undefined) {
    const first = text.charCodeAt(start)
    for (const { name, canonical } of candidates)
      if (name.charCodeAt(0) === first && text.startsWith(name, start)) return canonical
  }
  return canonicalHeaderName(text.slice(start, end))
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
