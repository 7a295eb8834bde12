import { hostKey, isKnownAddress, type Host, type ObservedMessage } from './observed-message.ts'

/** More hosts than these are no call of one PBX. */
const maxHosts = 64

/** Which hosts of a call are the PBX, learned message by message: an imported file does not say which side it was taken
 *  on, but Asterisk names itself in User-Agent and Server. */
export class PbxHosts {
  readonly #known = new Set<string>()
  #isAmbiguous = false
  #address = ''
  /** Grows with every host that is learned. */
  revision = 0

  note({ direction, src, dst, message }: ObservedMessage): void {
    if (direction === 'in') this.#add(dst)
    else if (direction === 'out') this.#add(src)
    else if (/^(?:asterisk|fpbx|freepbx)/i.test(message.userAgent)) this.#add(src)
  }

  /** `unknown` when neither or both sides are the PBX, or when two PBXs talk to each other. */
  directionOf(client: Host, server: Host): ObservedMessage['direction'] {
    if (this.#isAmbiguous) return 'unknown'
    const fromUs = this.#known.has(hostKey(client))
    const toUs = this.#known.has(hostKey(server))
    if (fromUs === toUs) return 'unknown'
    return fromUs ? 'out' : 'in'
  }

  #add(host: Host): void {
    if (!isKnownAddress(host) || this.#known.size >= maxHosts) return
    this.#isAmbiguous ||= this.#address !== '' && this.#address !== host.address
    this.#address = host.address
    const key = hostKey(host)
    if (this.#known.has(key)) return
    this.#known.add(key)
    this.revision++
  }
}
