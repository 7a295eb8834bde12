import type { SipMessage } from './message.ts'
import { hostKey, type Host, type ObservedMessage } from './observed-message.ts'
import type { PbxHosts } from './pbx-hosts.ts'
import type { Sighting } from './sightings.ts'
import { branchCookie } from './via.ts'

/** A request and all that belongs to it, RFC 3261 17. Lists are in order of time and bounded: of more sendings than
 *  `maxListed` the first ones and the last are listed, and all are counted. */
export interface Transaction {
  readonly callId: string
  readonly method: string
  /** Null when the messages have no usable CSeq. */
  readonly cseq: number | null
  /** First sight of the request; null when only responses were seen. */
  readonly request: Sighting | null
  /** Every sending of the request, the first included. */
  readonly requests: readonly Sighting[]
  readonly requestCount: number
  /** All responses, retransmissions included. */
  readonly responses: readonly Sighting[]
  /** First final response. */
  readonly final: Sighting | null
  /** INVITE only: the ACKs to its final response, whatever their branch. */
  readonly acks: readonly Sighting[]
  /** INVITE only: the CANCEL transaction with the same branch (RFC 3261 9.1). */
  readonly cancel: Transaction | null
  /** True for a request outside a dialog: no To tag. Told from the request only. */
  readonly isInitial: boolean
  readonly client: Host
  readonly server: Host
  /** From the PBX: it received (`in`) or sent (`out`) the request. Where the source does not know its side, told by the
   *  hosts that call themselves Asterisk. */
  readonly direction: ObservedMessage['direction']
  readonly startedAtMicros: number
  /** Of the last message that belongs to it. */
  readonly endedAtMicros: number
}

/** A request is sent eleven times at most (RFC 3261 17.1.1.2, 17.1.2.2), and so is a 2xx; more is a flood. */
const maxListed = 48

/** What has the same key belongs to the same transaction: RFC 3261 17.1.3 and 17.2.3. CANCEL has its own, an ACK to a
 *  refusal that of its INVITE. */
function transactionKey(message: SipMessage, method: string): string {
  return `${matchKey(message)}\0${method}`
}

/** The part of the key that a CANCEL shares with the request it cancels. */
function matchKey(message: SipMessage): string {
  const { callId, sentBy, branch } = message
  if (branch.startsWith(branchCookie)) return `${callId}\0${sentBy}\0${branch}`
  // RFC 2543: the branch proves nothing, so the call, the caller's tag and the number must agree as well.
  return `${callId}\0${sentBy}\0${branch}\0${message.fromTag}\0${message.cseq?.number ?? ''}`
}

const nowhere: Host = Object.freeze({ address: '', port: 0 })

function turned(direction: ObservedMessage['direction'] | undefined): ObservedMessage['direction'] {
  if (direction === 'in') return 'out'
  return direction === 'out' ? 'in' : 'unknown'
}

/** Puts the sighting where its time says; nearly always at the end. */
function insertByTime(list: Sighting[], sighting: Sighting): void {
  let at = list.length
  while (at > 0 && (list[at - 1]?.message.atMicros ?? 0) > sighting.message.atMicros) at--
  if (at === list.length) list.push(sighting)
  else list.splice(at, 0, sighting)
  // The last but one goes, so that the first ones and the last stay.
  if (list.length > maxListed) list.splice(-2, 1)
}

function startOf([first]: readonly Sighting[]): number {
  return first?.message.atMicros ?? Number.POSITIVE_INFINITY
}

function endOf(list: readonly Sighting[]): number {
  return list.at(-1)?.message.atMicros ?? 0
}

class TransactionRecord implements Transaction {
  readonly callId: string
  readonly method: string
  readonly cseq: number | null
  readonly fromTag: string
  readonly key: string
  readonly matchKey: string
  readonly requests: Sighting[] = []
  readonly responses: Sighting[] = []
  readonly acks: Sighting[] = []
  requestCount = 0
  final: Sighting | null = null
  cancel: Transaction | null = null
  readonly #pbx: PbxHosts | undefined

  constructor(message: SipMessage, method: string, key: string, pbx: PbxHosts | undefined) {
    this.callId = message.callId
    this.method = method
    this.cseq = message.cseq?.number ?? null
    this.fromTag = message.fromTag
    this.key = key
    this.matchKey = matchKey(message)
    this.#pbx = pbx
  }

  get request(): Sighting | null {
    return this.requests[0] ?? null
  }

  get isInitial(): boolean {
    const request = this.requests[0]
    return request !== undefined && request.message.message.toTag === ''
  }

  /** The times are read from the sightings: a better sight has a better time. */
  get startedAtMicros(): number {
    return Math.min(startOf(this.requests), startOf(this.responses), startOf(this.acks))
  }

  get endedAtMicros(): number {
    return Math.max(endOf(this.requests), endOf(this.responses), endOf(this.acks))
  }

  get client(): Host {
    return this.requests[0]?.message.src ?? this.responses[0]?.message.dst ?? nowhere
  }

  get server(): Host {
    return this.requests[0]?.message.dst ?? this.responses[0]?.message.src ?? nowhere
  }

  get direction(): ObservedMessage['direction'] {
    const told = this.requests[0]?.message.direction ?? turned(this.responses[0]?.message.direction)
    return told === 'unknown' && this.#pbx ? this.#pbx.directionOf(this.client, this.server) : told
  }

  add(sighting: Sighting): void {
    const { message } = sighting.message
    if (message.kind === 'response') {
      insertByTime(this.responses, sighting)
      this.final = this.responses.find((one) => (one.message.message.status ?? 0) >= 200) ?? null
    } else if (message.method === 'ACK') insertByTime(this.acks, sighting)
    else {
      this.requestCount++
      insertByTime(this.requests, sighting)
    }
  }
}

/** The sendings of one message between the hosts of the first: a copy that passes on between others, such as behind a NAT,
 *  is no repetition. */
export function onFirstHop(list: readonly Sighting[]): readonly Sighting[] {
  const [first] = list
  if (first === undefined || list.length === 1) return list
  const { src, dst } = first.message
  return list.filter(({ message }) => isSameHost(message.src, src) && isSameHost(message.dst, dst))
}

function isSameHost(a: Host, b: Host): boolean {
  const [left, right] = [hostKey(a), hostKey(b)]
  return left === right || left === '' || right === ''
}

function ackKey(callId: string, number: number | null, fromTag: string): string {
  return `${callId}\0${number}\0${fromTag}`
}

/** ACKs that wait for their INVITE: it comes a moment later in another source's stream, or never. */
const maxLooseAcks = 32

/** Sorts sightings into transactions, one at a time; the cost of one does not depend on how many there are. */
export class TransactionTable {
  readonly #byKey = new Map<string, TransactionRecord>()
  /** By the number of the INVITE: an ACK to a 2xx has a branch of its own (RFC 3261 13.2.2.4). */
  readonly #byAckKey = new Map<string, TransactionRecord[]>()
  readonly #looseAcks: Sighting[] = []
  readonly #pbx: PbxHosts | undefined

  constructor(pbx?: PbxHosts) {
    this.#pbx = pbx
  }

  /** The transactions that the sighting belongs to, with `isNew` for one that it began; none for an ACK whose INVITE is
   *  not known, and more than one only for an ACK that several hops of its INVITE may claim. */
  add(sighting: Sighting): { readonly transactions: readonly Transaction[]; readonly isNew: boolean } {
    const { message } = sighting.message
    const isAck = message.kind === 'request' && message.method === 'ACK'
    const method = isAck ? 'INVITE' : message.method
    const key = transactionKey(message, method)
    let record = this.#byKey.get(key)
    if (isAck && record === undefined) return { transactions: this.#attachAck(sighting), isNew: false }
    const isNew = record === undefined
    if (record === undefined) {
      record = new TransactionRecord(message, method, key, this.#pbx)
      this.#open(record)
    }
    record.add(sighting)
    if (isNew && method === 'INVITE') this.#claimAcks()
    return { transactions: [record], isNew }
  }

  forget(transaction: Transaction): void {
    if (!(transaction instanceof TransactionRecord)) return
    this.#byKey.delete(transaction.key)
    if (transaction.method !== 'INVITE') return
    const key = ackKey(transaction.callId, transaction.cseq, transaction.fromTag)
    const left = this.#byAckKey.get(key)?.filter((one) => one !== transaction) ?? []
    if (left.length > 0) this.#byAckKey.set(key, left)
    else this.#byAckKey.delete(key)
  }

  #open(record: TransactionRecord): void {
    this.#byKey.set(record.key, record)
    if (record.method === 'CANCEL') {
      const invite = this.#byKey.get(`${record.matchKey}\0INVITE`)
      if (invite) invite.cancel ??= record
    } else if (record.method === 'INVITE') {
      record.cancel = this.#byKey.get(`${record.matchKey}\0CANCEL`) ?? null
      const key = ackKey(record.callId, record.cseq, record.fromTag)
      const list = this.#byAckKey.get(key)
      if (list) list.push(record)
      else this.#byAckKey.set(key, [record])
    }
  }

  /** By CSeq number, call and caller's tag; of several hops the one from whose client the ACK comes, else all. */
  #attachAck(ack: Sighting): readonly TransactionRecord[] {
    const { message, src } = ack.message
    const list = this.#byAckKey.get(ackKey(message.callId, message.cseq?.number ?? null, message.fromTag))
    if (list === undefined) {
      this.#looseAcks.push(ack)
      if (this.#looseAcks.length > maxLooseAcks) this.#looseAcks.shift()
      return []
    }
    const sameHop = list.filter(({ client }) => hostKey(client) === hostKey(src))
    const claimants = sameHop.length > 0 ? sameHop : list
    for (const record of claimants) record.add(ack)
    return claimants
  }

  #claimAcks(): void {
    for (const ack of this.#looseAcks.splice(0)) this.#attachAck(ack)
  }
}

/** Sightings of any number of calls in order of time → their transactions, in order of their first message. */
export function groupTransactions(sightings: readonly Sighting[]): Transaction[] {
  const table = new TransactionTable()
  const found: Transaction[] = []
  for (const sighting of sightings) {
    const { transactions, isNew } = table.add(sighting)
    if (isNew) found.push(...transactions)
  }
  return found.toSorted((a, b) => a.startedAtMicros - b.startedAtMicros)
}

/** Ids of the sightings that repeat an earlier one → id of that one: the same message, in the same transaction, from
 *  the same side. `sightings` in order of time. */
export function findRetransmissions(sightings: readonly Sighting[]): Map<string, string> {
  const seen = new Map<string, string>()
  const repeated = new Map<string, string>()
  for (const sighting of sightings) {
    if (sighting.mayRepeat === false) continue
    const { message, src, direction } = sighting.message
    const side = hostKey(src) === '' ? direction : hostKey(src)
    const status =
      message.kind === 'request' ? '' : `${message.status} ${message.toTag} ${message.header('rseq') ?? ''}`
    const key = `${side}\0${message.kind}\0${status}\0${message.cseq?.number ?? ''}\0${transactionKey(message, message.method)}`
    const first = seen.get(key)
    if (first === undefined) seen.set(key, sighting.id)
    else repeated.set(sighting.id, first)
  }
  return repeated
}
