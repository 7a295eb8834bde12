import type { Direction, SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { MessageRow, Party } from '@sip-capture/contract/rest/message.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { parseMessage, type SipMessage } from '@sip-capture/sip/message.ts'
import { parseNameAddress } from '@sip-capture/sip/name-address.ts'
import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { sightingKey } from '@sip-capture/sip/sightings.ts'
import { parseUser } from '@sip-capture/sip/uri.ts'
import { pbxName, resolveDirection, type Directory } from '../directory.ts'
import { foldNumber } from '../filter-words.ts'

/** Who was who when the message came; kept with it, so that later changes of the directory do not rewrite the past. */
export interface Naming {
  readonly direction: Direction
  readonly srcName: string
  readonly dstName: string
  /** Endpoint or trunk of the far side; `''` where not known. */
  readonly trunk: string
  /** A named capture; `''` for live traffic. */
  readonly capture: string
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
const nobody = Object.freeze({ displayName: '', uri: '', user: '', host: '', tag: '' })

export function toNaming(record: SipRecord, directory: Directory): Naming {
  const direction = resolveDirection(record, directory)
  const srcName = directory.nameOf(record.src, record.node) ?? ''
  const dstName = directory.nameOf(record.dst, record.node) ?? ''
  const srcEndpoint = directory.endpointOf(record.src, record.node) ?? ''
  const dstEndpoint = directory.endpointOf(record.dst, record.node) ?? ''
  const trunk = toTrunk(record, direction, srcEndpoint, dstEndpoint)
  return { direction, srcName, dstName, trunk, capture: '' }
}

function toTrunk(record: SipRecord, direction: Direction, srcName: string, dstName: string): string {
  // Asterisk's own word: PJSIP/<endpoint>-<hex>.
  const fromChannel =
    record.channel === undefined ? undefined : /^PJSIP\/(.+)-[0-9a-f]{8,}$/.exec(record.channel)?.[1]
  if (fromChannel !== undefined) return fromChannel
  const far =
    direction === 'in'
      ? srcName
      : direction === 'out'
        ? dstName
        : ([srcName, dstName].find((name) => name !== '' && name !== pbxName) ?? '')
  return far === pbxName ? '' : far
}

/** What a row shows of the message itself. */
type MessageParts = Pick<
  SipMessage,
  | 'method'
  | 'status'
  | 'reason'
  | 'requestUri'
  | 'callId'
  | 'from'
  | 'to'
  | 'cseq'
  | 'branch'
  | 'userAgent'
  | 'hasSdp'
> & { readonly kind: MessageRow['kind'] }

const noMessage: MessageParts = {
  kind: 'unparsed',
  method: '',
  status: null,
  reason: '',
  requestUri: '',
  callId: '',
  from: nobody,
  to: nobody,
  cseq: null,
  branch: '',
  userAgent: '',
  hasSdp: false,
}

/**
 * A record with everything that is worked out from it, each when it is first asked for: of most messages history wants less
 * than a page, and the call log still less. The one place that knows packages/sip. Nothing of it throws.
 */
export class MessageView {
  readonly record: SipRecord
  readonly naming: Naming
  /** Undefined for a payload on a SIP port that is not SIP. */
  readonly message: SipMessage | undefined
  /** Of `message`, or what stands for one that is not there. */
  readonly parts: MessageParts
  /** Why it is not SIP. */
  readonly #fault: string
  #row: MessageRow | undefined
  #text: string | undefined
  #numbers: readonly string[] | undefined

  constructor(record: SipRecord, naming: Naming) {
    const parsed = parseMessage(record.payload)
    this.record = record
    this.naming = naming
    this.message = parsed.ok ? parsed.message : undefined
    this.parts = this.message ?? noMessage
    this.#fault = parsed.ok ? '' : parsed.problem
  }

  get row(): MessageRow {
    return (this.#row ??= toRow(this))
  }

  get numbers(): readonly string[] {
    return (this.#numbers ??= this.message ? toNumbers(this.message) : [])
  }

  /** The bytes as UTF-8 text, U+FFFD where they are not. */
  get text(): string {
    return (this.#text ??= decoder.decode(this.record.payload))
  }

  /** What is odd about it, and what its source said. */
  get problems(): readonly string[] {
    const { message, record } = this
    const own = message ? problemsOf(record, message) : [this.#fault]
    return record.notes.length === 0 ? own : [...own, ...record.notes]
  }

  /** What cannot be recognised is never the same message as another. */
  get sightingKey(): string {
    return (this.message && sightingKey(this.message)) || this.record.id
  }
}

/** Every field written out: this runs for each message several times, and spreading one object into another of this size
 *  costs more than all the parsing. */
function toRow({ record, naming, parts, problems, sightingKey: key }: MessageView): MessageRow {
  return {
    id: record.id,
    at: toRfc3339(record.atMicros),
    precisionMicros: record.precisionMicros,
    source: record.source,
    node: record.node,
    transport: record.transport,
    direction: naming.direction,
    src: toParty(record.src, naming.srcName),
    dst: toParty(record.dst, naming.dstName),
    kind: parts.kind,
    method: parts.method,
    status: parts.status,
    reason: parts.reason,
    requestUri: parts.requestUri,
    callId: parts.callId,
    from: pickNameAddress(parts.from),
    to: pickNameAddress(parts.to),
    cseq: parts.cseq?.number ?? null,
    branch: parts.branch,
    userAgent: parts.userAgent,
    trunk: naming.trunk === '' ? null : naming.trunk,
    channel: record.channel ?? null,
    hasSdp: parts.hasSdp,
    sizeBytes: record.payload.length,
    copies: record.copies,
    sightingKey: key,
    problems: [...problems],
    capture: naming.capture === '' ? null : naming.capture,
  }
}

const printedTwice = 'Content-Length is there 2 times'

/** What is odd about the message itself: pjsip prints the headers of a body that it received a second time. */
function problemsOf({ source }: SipRecord, { problems }: SipMessage): readonly string[] {
  return source === 'ami-history' ? problems.filter((problem) => problem !== printedTwice) : problems
}

/** Users of From, To, Request-URI and P-Asserted-Identity. */
function toNumbers(message: SipMessage): string[] {
  const numbers: string[] = []
  const add = (user: string) => {
    const number = foldNumber(user)
    if (number !== '' && !numbers.includes(number)) numbers.push(number)
  }
  add(message.from.user)
  add(message.to.user)
  add(parseUser(message.requestUri))
  for (const value of message.headerValues('p-asserted-identity')) add(parseNameAddress(value).user)
  return numbers
}

function pickNameAddress(party: MessageRow['from']): MessageRow['from'] {
  const { displayName, uri, user, host, tag } = party
  return { displayName, uri, user, host, tag }
}

function toParty(side: { address: string; port: number }, name: string): Party {
  const { address, port } = side
  return name === '' ? { address, port } : { address, port, name }
}

/** What packages/sip reasons about; undefined for a payload that is not SIP. Not by way of the row, which costs as much as all
 *  that is reasoned. */
export function toObservedMessage({ record, naming, message }: MessageView): ObservedMessage | undefined {
  if (!message) return undefined
  return {
    id: record.id,
    atMicros: record.atMicros,
    source: record.source,
    transport: record.transport,
    direction: naming.direction,
    src: toParty(record.src, naming.srcName),
    dst: toParty(record.dst, naming.dstName),
    endpoint: naming.trunk === '' ? undefined : naming.trunk,
    message,
  }
}
