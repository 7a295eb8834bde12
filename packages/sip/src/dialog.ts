import type { SipMessage } from './message.ts'
import { nameAddressParameter } from './name-address.ts'
import type { Sighting } from './sightings.ts'
import type { Transaction } from './transaction.ts'

/** An INVITE dialog, RFC 3261 12: a Call-ID and the tags of both sides. A forked call has several. */
export interface Dialog {
  readonly callId: string
  readonly callerTag: string
  readonly calleeTag: string
  readonly state: 'early' | 'confirmed' | 'terminated'
  /** First 2xx to the INVITE; null while early, or when the answer was not seen. */
  readonly answer: Sighting | null
  /** True when an ACK to a 2xx was seen in it. */
  readonly isAcknowledged: boolean
  /** The BYE that ended it. */
  readonly bye: Transaction | null
  /** Seconds of the last agreed session interval (RFC 4028), null without a session timer. */
  readonly sessionIntervalSeconds: number | null
  /** When the session was last refreshed or agreed; null without a session timer. */
  readonly refreshedAtMicros: number | null
  readonly lastSeenAtMicros: number
}

/** Forks of one call; more are a flood. */
const maxDialogs = 64

class DialogRecord implements Dialog {
  readonly callId: string
  readonly callerTag: string
  readonly calleeTag: string
  answer: Sighting | null = null
  isAcknowledged = false
  bye: Transaction | null = null
  isConfirmed = false
  sessionIntervalSeconds: number | null = null
  refresh: Sighting | null = null
  lastSeen: Sighting | null = null

  constructor(callId: string, callerTag: string, calleeTag: string) {
    this.callId = callId
    this.callerTag = callerTag
    this.calleeTag = calleeTag
  }

  get state(): Dialog['state'] {
    if (this.bye !== null) return 'terminated'
    return this.isConfirmed ? 'confirmed' : 'early'
  }

  get refreshedAtMicros(): number | null {
    return this.refresh?.message.atMicros ?? null
  }

  get lastSeenAtMicros(): number {
    return this.lastSeen?.message.atMicros ?? 0
  }

  see(sighting: Sighting): void {
    if (sighting.message.atMicros >= this.lastSeenAtMicros) this.lastSeen = sighting
  }
}

/** Session-Expires → seconds; null when absent or not a number. */
export function sessionInterval(message: SipMessage): number | null {
  const value = message.header('session-expires')
  if (value === undefined) return null
  const digits = /^\d{1,9}/.exec(value)?.[0]
  return digits === undefined ? null : Number(digits)
}

const methods: ReadonlySet<string> = new Set(['INVITE', 'BYE', 'UPDATE'])

/** The dialogs that INVITEs make, or that requests inside them show to exist; fed one sighting at a time. */
export class DialogTable {
  readonly #dialogs: DialogRecord[] = []

  get dialogs(): readonly Dialog[] {
    return this.#dialogs
  }

  /** `transaction`: what the sighting belongs to. */
  add(sighting: Sighting, transaction: Transaction): void {
    if (!methods.has(transaction.method)) return
    const { message } = sighting.message
    if (message.kind === 'response') this.#addResponse(sighting, transaction)
    else if (message.toTag === '') return
    else if (message.method === 'ACK') this.#addAck(sighting, transaction)
    else {
      const dialog = this.#open(message)
      if (dialog === undefined) return
      dialog.isConfirmed ||= transaction.method !== 'UPDATE'
      if (transaction.method === 'BYE') dialog.bye ??= transaction
      dialog.see(sighting)
    }
  }

  #addAck(sighting: Sighting, { final }: Transaction): void {
    if ((final?.message.message.status ?? 0) >= 300) return
    const dialog = this.#open(sighting.message.message)
    if (dialog === undefined) return
    dialog.isConfirmed = true
    dialog.isAcknowledged = true
    dialog.see(sighting)
  }

  #addResponse(sighting: Sighting, { method }: Transaction): void {
    const { message } = sighting.message
    const { status, toTag } = message
    if (status === null || status <= 100 || status >= 300 || toTag === '' || method === 'BYE') return
    const dialog = this.#open(message)
    if (dialog === undefined) return
    dialog.see(sighting)
    if (status < 200) return
    if (method === 'INVITE') {
      dialog.isConfirmed = true
      dialog.answer ??= sighting
    }
    // RFC 4028 7.2 and 9: what the 2xx says holds; without the header there is no timer.
    dialog.sessionIntervalSeconds = sessionInterval(message)
    dialog.refresh = dialog.sessionIntervalSeconds === null ? null : sighting
  }

  /** Undefined when there are too many already. */
  #open({ callId, fromTag, toTag }: SipMessage): DialogRecord | undefined {
    const known = this.#dialogs.find(
      (one) =>
        (one.calleeTag === toTag && one.callerTag === fromTag) ||
        (one.calleeTag === fromTag && one.callerTag === toTag),
    )
    if (known !== undefined || this.#dialogs.length >= maxDialogs) return known
    const dialog = new DialogRecord(callId, fromTag, toTag)
    this.#dialogs.push(dialog)
    return dialog
  }
}

/** Transactions of one Call-ID in order of time → their dialogs. */
export function findDialogs(transactions: readonly Transaction[]): Dialog[] {
  const table = new DialogTable()
  for (const transaction of transactions) {
    for (const list of [transaction.requests, transaction.responses, transaction.acks])
      for (const sighting of list) table.add(sighting, transaction)
  }
  return [...table.dialogs]
}

/** Granted lifetime of a binding in seconds: the Contact's own `expires`, else the Expires header; null when neither
 *  says (RFC 3261 10.2.4, 10.3). With several contacts the longest. */
export function grantedExpires(response: SipMessage): number | null {
  const own = response
    .headerValues('contact')
    .map((value) => nameAddressParameter(value, 'expires'))
    .filter((value) => value !== undefined)
    .map(Number)
    .filter((seconds) => Number.isInteger(seconds) && seconds >= 0)
  if (own.length > 0) return Math.max(...own)
  const header = Number(response.header('expires') ?? Number.NaN)
  return Number.isInteger(header) && header >= 0 ? header : null
}
