import { ipv6Text, parseAddress } from '../address.ts'
import { createKeyedHash, hashHex, type KeyedHash } from './keyed-hash.ts'
import { Memo } from './memo.ts'

/** Entries a table holds; beyond it pseudonyms come from a wider hash, or for IPv4 may be shared, and are counted. */
const maxEntries = 1_000_000
const maxAttempts = 64
const maxCachedWords = 20_000
const maxCachedLines = 20_000
/** No vowels and no digits: chance spells neither a name nor a number of somebody. */
const letters = 'bcdfghjklmnpqrst'
/** They mean "none", "all" or "every SIP server", and name nobody. */
const keptAddresses: ReadonlySet<string> = new Set(['0.0.0.0', '255.255.255.255', '224.0.1.75', '::'])
const keptHosts: ReadonlySet<string> = new Set(['localhost', 'anonymous.invalid'])
const keptUsers: ReadonlySet<string> = new Set(['anonymous', 'unknown', 'restricted', 'unavailable'])

/** What is between its digits is for the eye only (RFC 3966 section 3). */
const dialString = /^[+*#\d.() -]+$/

/** original → pseudonym, never two originals with one pseudonym. */
class PseudonymTable {
  readonly #made = new Map<string, string>()
  readonly #taken = new Set<string>()

  get isFull(): boolean {
    return this.#made.size >= maxEntries
  }

  get(original: string): string | undefined {
    return this.#made.get(original)
  }

  /** `candidate` differs for each attempt. Undefined where no free one was found. */
  add(original: string, candidate: (attempt: number) => string): string | undefined {
    if (this.isFull) return undefined
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const pseudonym = candidate(attempt)
      if (this.#taken.has(pseudonym)) continue
      this.#taken.add(pseudonym)
      this.#made.set(original, pseudonym)
      return pseudonym
    }
    return undefined
  }
}

/**
 * Consistent pseudonyms under one secret. Numbers and IPv4 addresses are short, so tables keep them distinct; all else
 * is distinct by the width of its hash. No pseudonym can be an original: numbers begin with 000 or hold a letter, IPv4
 * is in 240.0.0.0/4, which nobody uses, hosts end in `.invalid`.
 */
export class Pseudonyms {
  readonly #hash: KeyedHash
  readonly #numbers = new PseudonymTable()
  readonly #ipv4 = new PseudonymTable()
  /** The same few hosts, users and tags come again and again. */
  readonly #words = new Map<string, string>()
  /** Headers and lines of SDP, masked. */
  readonly lines = new Memo(maxCachedLines)
  readonly #addresses = new Memo(maxCachedWords)
  readonly #hosts = new Memo(maxCachedWords)
  readonly #makeAddress = (text: string): string => this.#newAddress(text)
  readonly #makeHost = (text: string): string => this.#newHost(text)
  #shared = 0

  constructor(secret: Uint8Array) {
    this.#hash = createKeyedHash(secret)
  }

  /** Addresses that got no pseudonym of their own since the table is full. */
  get shared(): number {
    return this.#shared
  }

  /** 16 letters for 64 bits of hash. `kind` keeps a tag apart from a Call-ID of the same text. */
  word(kind: string, text: string): string {
    const key = `${kind} ${text}`
    const known = this.#words.get(key)
    if (known !== undefined) return known
    let out = ''
    const { high, low } = this.#hash(key)
    for (const half of [high, low]) {
      for (let shift = 28; shift >= 0; shift -= 4) out += letters[(half >>> shift) & 15]
    }
    if (this.#words.size >= maxCachedWords) this.#words.clear()
    this.#words.set(key, out)
    return out
  }

  /** An address literal → one of the same family, brackets kept off; `''` stays, other text is taken as a host name. */
  address(text: string): string {
    return this.#addresses.get(text, this.#makeAddress)
  }

  #newAddress(text: string): string {
    const bytes = parseAddress(text)
    if (!bytes) return text === '' ? '' : this.#hostName(text)
    if (bytes.length === 4) return this.#ipv4Address(bytes.join('.'))
    const canonical = ipv6Text(bytes, 0)
    if (keptAddresses.has(canonical)) return canonical
    if (canonical.startsWith('::ffff:') && canonical.includes('.')) {
      return `::ffff:${this.#ipv4Address(bytes.subarray(12).join('.'))}`
    }
    const hex = hashHex(this.#hash, `ipv6 ${canonical}`) + hashHex(this.#hash, `ipv6+ ${canonical}`)
    const masked = Uint8Array.from({ length: 16 }, (_, index) =>
      index === 0 ? 0xfd : Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
    )
    return ipv6Text(masked, 0)
  }

  /** Whether the text is an IPv4 address that was masked before. */
  isKnownAddress(text: string): boolean {
    const bytes = parseAddress(text)
    return bytes?.length === 4 && this.#ipv4.get(bytes.join('.')) !== undefined
  }

  /** A host of a URI or Via: name or literal, IPv6 with or without brackets. */
  host(text: string): string {
    return this.#hosts.get(text, this.#makeHost)
  }

  #newHost(text: string): string {
    const bytes = parseAddress(text)
    if (!bytes) return this.#hostName(text)
    const masked = this.address(text)
    return masked.includes(':') ? `[${masked}]` : masked
  }

  /** A telephone number or extension. A leading + and the length stay (one digit becomes two); separators go. */
  number(text: string): string {
    const digits = text.replace(/\D/g, '')
    if (digits === '') return ''
    return (text.trimStart().startsWith('+') ? '+' : '') + this.#digits(digits)
  }

  /** User part of a URI, decoded, without password and parameters. */
  user(text: string): string {
    if (text === '' || keptUsers.has(text.toLowerCase())) return text
    if (!dialString.test(text) || !/\d/.test(text)) return `user-${this.word('user', text).slice(0, 12)}`
    if (!/[*#]/.test(text)) return this.number(text)
    // A service code with a number in it: `*21*+49301234567#`.
    return text.replace(/[.() -]/g, '').replace(/\+?\d+/g, (digits) => this.number(digits))
  }

  /** Display name without quotes. One that is a number is masked as the number, so that both still agree. */
  name(text: string): string {
    if (text === '' || keptUsers.has(text.toLowerCase())) return text
    return dialString.test(text) && /\d/.test(text)
      ? this.user(text)
      : `Name-${this.word('name', text).slice(0, 12)}`
  }

  /** Anything that cannot be read more closely. */
  opaque(text: string): string {
    return text === '' ? '' : `masked-${this.word('opaque', text).slice(0, 12)}`
  }

  callId(text: string): string {
    return text === '' ? '' : this.word('call-id', text) + this.word('call-id+', text)
  }

  tag(text: string): string {
    return text === '' ? '' : this.word('tag', text)
  }

  /** Keeps RFC 3261's cookie, which says that the branch names its transaction. */
  branch(text: string): string {
    if (text === '') return ''
    const cookie = text.toLowerCase().startsWith('z9hg4bk') ? 'z9hG4bK' : ''
    return cookie + this.word('branch', text.toLowerCase()) + this.word('branch+', text.toLowerCase())
  }

  /** 18 digits for a number that only has to be equal to itself. */
  sessionNumber(text: string): string {
    let { high, low } = this.#hash(`session ${text}`)
    let out = ''
    for (let count = 0; count < 9; count += 1) {
      out += '789'[high % 3] ?? ''
      out += '789'[low % 3] ?? ''
      high = Math.floor(high / 3)
      low = Math.floor(low / 3)
    }
    return out
  }

  #hostName(text: string): string {
    const name = text.toLowerCase()
    return keptHosts.has(name) ? name : `host-${this.word('host', name).slice(0, 14)}.invalid`
  }

  #ipv4Address(canonical: string): string {
    if (keptAddresses.has(canonical)) return canonical
    const known = this.#ipv4.get(canonical)
    if (known !== undefined) return known
    // 240/8 for addresses that are private or the host's own, 241 to 254 for public ones: NAT stays visible.
    const isPrivate =
      /^(10\.|127\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/.test(
        canonical,
      )
    const candidate = (attempt: number): string => {
      const { high, low } = this.#hash(`ipv4 ${attempt} ${canonical}`)
      const first = isPrivate ? 240 : 241 + (high % 14)
      return `${first}.${low >>> 24}.${(low >>> 16) & 255}.${1 + ((low & 255) % 254)}`
    }
    const made = this.#ipv4.add(canonical, candidate)
    if (made !== undefined) return made
    this.#shared += 1
    return candidate(0)
  }

  #digits(digits: string): string {
    const known = this.#numbers.get(digits)
    if (known !== undefined) return known
    // Three more lengths: where all of one length are taken, the pseudonym is longer.
    for (let extra = digits.length === 1 ? 1 : 0; extra < 4; extra += 1) {
      const length = digits.length + extra
      const made = this.#numbers.add(digits, (attempt) => this.#numberCandidate(digits, attempt, length))
      if (made !== undefined) return made
    }
    return `000${this.sessionNumber(`number ${digits}`)}`
  }

  #numberCandidate(digits: string, attempt: number, length: number): string {
    const hex = hashHex(this.#hash, `number ${attempt} ${digits}`)
    if (length <= 6) {
      // Valid in a tel URI, and the letter says that it is no number of anybody.
      const short = hex.slice(0, length)
      return /[a-f]/.test(short) ? short : 'abcdef'[Number(hex.at(-1) === 'f')] + short.slice(1)
    }
    let out = '000'
    for (let part = 0; out.length < length; part += 1) {
      const { high, low } = this.#hash(`number ${attempt} ${part} ${digits}`)
      out += String(high % 10_000).padStart(4, '0') + String(low % 10_000).padStart(4, '0')
    }
    return out.slice(0, length)
  }
}
