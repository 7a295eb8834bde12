import type { SipMessage } from './message.ts'
import { parseNameAddress } from './name-address.ts'
import type { Host } from './observed-message.ts'
import { parseUserHost } from './uri.ts'

/** Users of one address that are told apart: in a leg the host is one user; legs of the same user, by what From, To,
 *  Contact and Request-URI call it (or by the directory's name), are one lane. */
export class LaneUsers {
  /** The other names of a user, up to the one that stands for all: disjoint sets, with a node for each leg and name. */
  readonly #parents = new Map<string, string>()
  readonly #labels = new Map<string, string>()

  /** Takes what a message of this leg says about the side at `base`. */
  note(base: string, callId: string, host: Host, message: SipMessage, isSender: boolean): void {
    const leg = `${base}\0leg\0${callId}`
    const isClient = isSender === (message.kind === 'request')
    // The From of a forked or forwarded call is the caller's everywhere; the To may be a queue's, so the URI is asked first.
    const names =
      host.name === undefined || host.name === ''
        ? [isClient ? message.from.user : calledUser(message), isSender ? contactUser(message) : '']
        : [`\0${host.name}`]
    for (const name of names) {
      if (nobody.has(name.toLowerCase())) continue
      const node = `${base}\0user\0${name}`
      this.#join(leg, node)
      const root = this.#root(leg)
      if (!this.#labels.has(root)) this.#labels.set(root, name.startsWith('\0') ? '' : name)
    }
  }

  /** Key and shown name of the user that the side at `base` is in this leg. */
  userOf(base: string, callId: string): { key: string; user: string } {
    const root = this.#root(`${base}\0leg\0${callId}`)
    return { key: root, user: this.#labels.get(root) ?? '' }
  }

  #root(node: string): string {
    let root = node
    for (let next = this.#parents.get(root); next !== undefined; next = this.#parents.get(root)) root = next
    if (root !== node) this.#parents.set(node, root)
    return root
  }

  #join(leg: string, name: string): void {
    // The earlier stays the root, so that keys do not depend on what comes later.
    const isKnown = this.#parents.has(name)
    const [root, other] = isKnown ? [this.#root(name), this.#root(leg)] : [this.#root(leg), name]
    if (root === other) return
    const label = this.#labels.get(root) ?? this.#labels.get(other)
    this.#parents.set(other, root)
    if (label !== undefined) this.#labels.set(root, label)
  }
}

/** Names that say nobody in particular. */
const nobody: ReadonlySet<string> = new Set(['', 'anonymous', 'unknown', 'unavailable', 'restricted', 's'])

/** The user that a request is sent to; of a response, the To. */
function calledUser(message: SipMessage): string {
  if (message.kind === 'response') return ''
  return parseUserHost(message.requestUri).user || message.to.user
}

/** The user of the sender's own Contact; that of a redirection (3xx, 485) names somebody else. */
function contactUser(message: SipMessage): string {
  const { status } = message
  if (status !== null && ((status >= 300 && status < 400) || status === 485)) return ''
  const contact = message.header('contact')
  return contact === undefined ? '' : parseNameAddress(contact).user
}
