import { DialogTable, type Dialog } from './dialog.ts'
import { signBits } from './leg-signs.ts'
import type { SipMessage } from './message.ts'
import type { PbxHosts } from './pbx-hosts.ts'
import type { Sighting } from './sightings.ts'
import { onFirstHop, TransactionTable, type Transaction } from './transaction.ts'

/** The messages of one Call-ID, sorted out. A call through a B2BUA such as Asterisk has one leg on each side. */
export interface Leg {
  readonly callId: string
  /** The earliest and the latest message. */
  readonly first: Sighting
  readonly last: Sighting
  /** First request that was seen. */
  readonly opening: Sighting | null
  /** In order of their first message. Of a very long dialog only what may still matter: see `LegRecord`. */
  readonly transactions: readonly Transaction[]
  /** Those of one method, in the same order. */
  of(method: string): readonly Transaction[]
  readonly dialogs: readonly Dialog[]
  /** The INVITE that decides: the last try (an INVITE repeated with credentials has a higher CSeq), of forked or
   *  forwarded copies the answered one, else the first. Null when no INVITE that opens a call was seen. */
  readonly attempt: Transaction | null
  /** True when both sides of the leg were seen to send. */
  readonly isTwoWay: boolean
  /** True when every sight of it comes from an imported file: then nobody watched after its last message. */
  readonly isImported: boolean
  /** What has been seen on it: bits of `signBits`. */
  readonly signs: number
  /** Grows with everything that may change what is said of the leg. */
  readonly revision: number
  /** What `work` makes of the leg, kept until the leg changes: see `rememberOfLeg`. */
  recall<V>(slot: number, work: (leg: Leg) => V): V
}

const answeredBit = signBits(['answered'])
const forkBit = signBits(['fork'])
const byeBit = signBits(['bye'])
const cancelBit = signBits(['cancel'])
const challengeBit = signBits(['challenge'])
const refusalBit = signBits(['refusal'])
const progressBit = signBits(['progress'])
const repetitionBit = signBits(['repetition'])
const sessionChangeBit = signBits(['session-change'])

const none: readonly Transaction[] = []

/** Messages that may still be sorted out anew when one comes late; a leg with more of them takes late ones as they come. */
const maxInOrder = 512

/** A leg that grows message by message. With a bound, a dialog of any length costs the same for each message: the oldest
 *  transactions that went well are forgotten first, failures and what opened and ended the call are kept. A message that
 *  comes late finds its place: as long as nothing was forgotten, the leg is what it would be had all come in order. */
export class LegRecord implements Leg {
  readonly callId: string
  first: Sighting
  last: Sighting
  opening: Sighting | null = null
  isImported = true
  /** Transactions that the bound made us forget. */
  forgotten = 0
  readonly transactions: Transaction[] = []
  readonly #byMethod = new Map<string, Transaction[]>()
  readonly #maxTransactions: number
  readonly #pbx: PbxHosts | undefined
  #table: TransactionTable
  #dialogs = new DialogTable()
  /** All of its sightings in order of time; null once there are too many. */
  #inOrder: Sighting[] | null = []
  #revision = 0
  #signs = 0
  readonly #recalled: unknown[] = []
  #recalledRevision = -1
  #attempt: Transaction | null | undefined
  #sawCaller = false
  #sawCallee = false

  /** The first sighting is still to be added. */
  constructor(first: Sighting, { maxTransactions, pbx }: { maxTransactions: number; pbx?: PbxHosts }) {
    this.callId = first.message.message.callId
    this.first = first
    this.last = first
    this.#maxTransactions = maxTransactions
    this.#pbx = pbx
    this.#table = new TransactionTable(pbx)
  }

  of(method: string): readonly Transaction[] {
    return this.#byMethod.get(method) ?? none
  }

  get dialogs(): readonly Dialog[] {
    return this.#dialogs.dialogs
  }

  get isTwoWay(): boolean {
    return this.#sawCaller && this.#sawCallee
  }

  get attempt(): Transaction | null {
    if (this.#attempt === undefined) this.#attempt = findAttempt(this.of('INVITE'))
    return this.#attempt
  }

  get signs(): number {
    const { dialogs } = this
    if (dialogs.length > 1) this.#signs |= forkBit
    if ((this.#signs & answeredBit) === 0 && isAnswerImplied(this)) this.#signs |= answeredBit
    return this.#signs
  }

  /** The directions of its transactions follow from what is known of the PBX. */
  get revision(): number {
    return this.#revision + (this.#pbx?.revision ?? 0)
  }

  recall<V>(slot: number, work: (leg: Leg) => V): V {
    const recalled = this.#recalled
    if (this.#recalledRevision !== this.revision) {
      this.#recalledRevision = this.revision
      recalled.length = 0
    }
    if (recalled[slot] === undefined) recalled[slot] = work(this)
    return recalled[slot] as V
  }

  add(sighting: Sighting): void {
    this.#revision++
    const list = this.#inOrder
    const isLate = list !== null && isAfter(list.at(-1), sighting)
    list?.push(sighting)
    if (isLate) this.#sortOut()
    else this.#take(sighting)
    if (list !== null && (list.length > maxInOrder || this.forgotten > 0)) this.#inOrder = null
  }

  /** One of its sightings has a further sight now, perhaps a better one with another time. */
  touch(sighting: Sighting): void {
    this.#revision++
    const list = this.#inOrder
    const at = list?.lastIndexOf(sighting) ?? -1
    if (list !== null && at >= 0 && (isAfter(list[at - 1], sighting) || isAfter(sighting, list[at + 1])))
      this.#sortOut()
  }

  /** Everything anew, in order of time. */
  #sortOut(): void {
    const list = this.#inOrder
    const first = list?.sort((a, b) => a.message.atMicros - b.message.atMicros)[0]
    if (list === null || first === undefined) return
    this.first = first
    this.last = first
    this.opening = null
    this.isImported = true
    this.transactions.length = 0
    this.#byMethod.clear()
    this.#table = new TransactionTable(this.#pbx)
    this.#dialogs = new DialogTable()
    this.#attempt = undefined
    this.#signs = 0
    this.#sawCaller = false
    this.#sawCallee = false
    for (const sighting of list) this.#take(sighting)
  }

  #take(sighting: Sighting): void {
    const { message, atMicros, source } = sighting.message
    if (atMicros < this.first.message.atMicros) this.first = sighting
    if (atMicros >= this.last.message.atMicros) this.last = sighting
    this.isImported &&= source === 'import'
    const isRequest = message.kind === 'request'
    if (isRequest && (this.opening === null || atMicros < this.opening.message.atMicros))
      this.opening = sighting
    const { transactions, isNew } = this.#table.add(sighting)
    for (const transaction of transactions) {
      if (isNew) this.#insert(transaction)
      if (transaction.method === 'INVITE') this.#attempt = undefined
      this.#dialogs.add(sighting, transaction)
      if (isRequest && transaction.requestCount > 1) this.#signs |= repetitionBit
    }
    this.#signs |= isRequest ? requestSigns(message) : responseSigns(message)
    this.#noteSide(message)
  }

  /** Which of the two sides sent it is told by the tags: addresses may change on the way. */
  #noteSide({ kind, fromTag }: SipMessage): void {
    const isFirstTag = fromTag === this.first.message.message.fromTag
    if ((kind === 'request') === isFirstTag) this.#sawCaller = true
    else this.#sawCallee = true
  }

  #insert(transaction: Transaction): void {
    const list = this.transactions
    let at = list.length
    while (at > 0 && (list[at - 1]?.startedAtMicros ?? 0) > transaction.startedAtMicros) at--
    list.splice(at, 0, transaction)
    const same = this.#byMethod.get(transaction.method)
    if (same !== undefined && at === list.length - 1) same.push(transaction)
    else this.#byMethod.set(transaction.method, this.#select(transaction.method))
    if (list.length > this.#maxTransactions) this.#forgetSome()
  }

  #select(method: string): Transaction[] {
    return this.transactions.filter((one) => one.method === method)
  }

  /** Makes room for a quarter more at once, so that the cost is spread. */
  #forgetSome(): void {
    const list = this.transactions
    const wanted = Math.ceil(this.#maxTransactions / 4)
    const { attempt } = this
    const gone = new Set<Transaction>()
    for (const transaction of list.slice(0, -2)) {
      if (gone.size >= wanted) break
      if (transaction !== attempt && isSettled(transaction)) gone.add(transaction)
    }
    // Nothing but failures: the first and the last ones say it all.
    const middle = Math.floor(list.length / 2)
    if (gone.size === 0)
      for (const transaction of list.slice(middle, middle + wanted))
        if (transaction !== attempt) gone.add(transaction)
    for (const transaction of gone) this.#table.forget(transaction)
    this.forgotten += gone.size
    const kept = list.filter((transaction) => !gone.has(transaction))
    list.splice(0, list.length, ...kept)
    for (const method of this.#byMethod.keys()) this.#byMethod.set(method, this.#select(method))
  }
}

function requestSigns({ method, toTag }: SipMessage): number {
  if (method === 'BYE') return byeBit
  if (method === 'CANCEL') return cancelBit
  return method === 'UPDATE' || (method === 'INVITE' && toTag !== '') ? sessionChangeBit : 0
}

/** A BYE or CANCEL is known by its answer too. */
function responseSigns({ status, method }: SipMessage): number {
  const bits = method === 'BYE' ? byeBit : method === 'CANCEL' ? cancelBit : 0
  if (status === null || status < 300) return status === 183 ? bits | progressBit : bits
  return bits | (isChallenge(status) ? challengeBit : refusalBit)
}

function isAfter(one: Sighting | undefined, other: Sighting | undefined): boolean {
  return one !== undefined && other !== undefined && one.message.atMicros > other.message.atMicros
}

/** Over, and went well or was only challenged; not what opens, ends or moves the call. */
function isSettled({ method, isInitial, final, acks }: Transaction): boolean {
  const status = statusOf(final)
  if (method === 'BYE' || method === 'REFER' || (method === 'INVITE' && isInitial)) return isChallenge(status)
  if (method === 'INVITE' && acks.length === 0) return false
  return isSuccess(status) || isChallenge(status)
}

/** Sightings in order of time → one leg for each Call-ID, in order of their first message, whole however long. Messages
 *  without a Call-ID make no leg. */
export function splitLegs(sightings: readonly Sighting[]): Leg[] {
  const legs = new Map<string, LegRecord>()
  for (const sighting of sightings) {
    const { callId } = sighting.message.message
    if (callId === '') continue
    let leg = legs.get(callId)
    if (leg === undefined) {
      leg = new LegRecord(sighting, { maxTransactions: Number.POSITIVE_INFINITY })
      legs.set(callId, leg)
    }
    leg.add(sighting)
  }
  return [...legs.values()]
}

export function statusOf(sighting: Sighting | null): number {
  return sighting?.message.message.status ?? 0
}

export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

export function isChallenge(status: number): boolean {
  return status === 401 || status === 407
}

function findAttempt(invites: readonly Transaction[]): Transaction | null {
  const [only] = invites
  if (only === undefined) return null
  if (invites.length === 1) return only.isInitial || only.request === null ? only : null
  const initial: Transaction[] = []
  let isFirstInvite = true
  for (const transaction of invites) {
    if (transaction.isInitial || (isFirstInvite && transaction.request === null)) initial.push(transaction)
    isFirstInvite = false
  }
  if (initial.length < 2) return initial[0] ?? null
  const last = initial.reduce<number>((most, { cseq }) => Math.max(most, cseq ?? 0), 0)
  const copies = initial.filter(({ cseq }) => (cseq ?? 0) === last)
  const answered = copies.find(({ final }) => isSuccess(statusOf(final)))
  if (answered) return answered
  // A client that repeats its CSeq number with credentials is wrong, and its later try is still the one that counts.
  return copies.find(({ final }) => !isChallenge(statusOf(final))) ?? copies.at(-1) ?? null
}

/** RFC 3261 17.1.1.2 and 17.1.2.2: Timer B and Timer F, 64 * T1. */
export const transactionTimeoutMicros = 32_000_000

/** How long a client may take to answer a challenge; programs do it at once. */
export const challengePatienceMicros = 4_000_000

/** True when nobody answered the request although the time for it is over. False as long as an answer may come, and
 *  when later messages of the dialog prove that an answer was given and only not seen. */
export function isUnanswered(leg: Leg, transaction: Transaction, nowMicros: number): boolean {
  if (transaction.request === null || transaction.responses.length > 0 || transaction.acks.length > 0)
    return false
  if (nowMicros - transaction.startedAtMicros < transactionTimeoutMicros) return false
  return transaction.method !== 'INVITE' || !isAnswerImplied(leg)
}

/** True when the leg has requests inside a dialog: someone answered the INVITE, seen or not. */
export function isAnswerImplied(leg: Leg): boolean {
  return leg.dialogs.some(({ state }) => state !== 'early')
}

/** True when a 2xx to the INVITE never got its ACK although it was sent again and again. Without repetitions it may only
 *  be that the ACK went another way or was not captured. */
export function isUnacknowledged(attempt: Transaction, nowMicros: number): boolean {
  // Most are acknowledged, and nearly all answers are sent once.
  if (attempt.acks.length > 0 || attempt.responses.length < 3) return false
  const answers = answersOf(attempt)
  const [first] = answers
  if (first === undefined || answers.length < 3) return false
  return nowMicros - first.message.atMicros >= 4_000_000
}

/** The 2xx that answered the INVITE with all its repetitions (RFC 3261 13.3.1.4); empty when there is none. */
export function answersOf({ final, responses }: Transaction): readonly Sighting[] {
  const status = statusOf(final)
  if (final === null || !isSuccess(status)) return []
  const { toTag } = final.message.message
  return onFirstHop(
    responses.filter((one) => statusOf(one) === status && one.message.message.toTag === toTag),
  )
}

/** Until when anyone would have seen more of the leg: now, or the last message of an imported file. */
export function watchedUntilMicros(leg: Leg, nowMicros: number): number {
  return leg.isImported ? Math.min(nowMicros, leg.last.message.atMicros) : nowMicros
}

/** Why the call may be over although no BYE was seen: its session timer ran out (RFC 4028 10), or it has been silent
 *  for longer than calls last. Null while it may be live. */
export function silenceOf(
  leg: Leg,
  nowMicros: number,
): { sinceMicros: number; intervalSeconds: number | null } | null {
  const untilMicros = watchedUntilMicros(leg, nowMicros)
  let sinceMicros = Number.NEGATIVE_INFINITY
  let intervalSeconds: number | null = null
  for (const dialog of leg.dialogs) {
    if (dialog.bye !== null) return null
    if (dialog.state !== 'confirmed') continue
    sinceMicros = Math.max(sinceMicros, dialog.lastSeenAtMicros)
    const { sessionIntervalSeconds, refreshedAtMicros } = dialog
    if (sessionIntervalSeconds === null) continue
    const silentMicros = untilMicros - (refreshedAtMicros ?? untilMicros)
    if (silentMicros <= sessionIntervalSeconds * 1_000_000 + transactionTimeoutMicros) return null
    intervalSeconds ??= sessionIntervalSeconds
  }
  if (sinceMicros === Number.NEGATIVE_INFINITY) return ringingSilence(leg, untilMicros)
  const isOver = intervalSeconds !== null || untilMicros - sinceMicros > longestSilenceMicros
  return isOver ? { sinceMicros, intervalSeconds } : null
}

function ringingSilence({ attempt }: Leg, untilMicros: number): ReturnType<typeof silenceOf> {
  if (attempt === null || attempt.final !== null || attempt.responses.length === 0) return null
  const isLong = untilMicros - attempt.endedAtMicros > longestRingingMicros
  return isLong ? { sinceMicros: attempt.endedAtMicros, intervalSeconds: null } : null
}

/** Without a session timer neither side has to say anything; half a day is longer than people talk. */
const longestSilenceMicros = 12 * 3600 * 1_000_000

/** Proxies give up after three minutes without a new answer (Timer C, RFC 3261 16.6); an hour is beyond all patience. */
const longestRingingMicros = 3600 * 1_000_000
