import { findParameter, isSpace, skipQuoted, trimSpace, unquote } from './parameters.ts'
import { parseUserHost } from './uri.ts'

/** The value of From, To, Contact and the like, RFC 3261 20.10. */
export interface NameAddress {
  /** Without quotes and escapes. */
  readonly displayName: string
  /** Without angle brackets. */
  readonly uri: string
  readonly user: string
  /** An IPv6 literal comes without its brackets. */
  readonly host: string
  readonly tag: string
}

export const noNameAddress: NameAddress = Object.freeze({
  displayName: '',
  uri: '',
  user: '',
  host: '',
  tag: '',
})

export interface NameAddressParts {
  displayName: string
  uri: string
  /** Where the header parameters begin. */
  parametersAt: number
}

/** Where the parts of a name-addr or addr-spec are; never fails. */
export function splitNameAddress(value: string): NameAddressParts {
  let at = 0
  let quoted = ''
  if (value.startsWith('"') || value.startsWith(' ') || value.startsWith('\t')) {
    while (isSpace(value.charCodeAt(at))) at++
    if (value.charCodeAt(at) === 0x22) {
      const end = skipQuoted(value, at)
      // A quote that never closes would swallow the URI; then the quote is read as part of a plain name.
      if (value.charCodeAt(end - 1) === 0x22 && end - 1 > at) {
        const content = value.slice(at + 1, end - 1)
        quoted = content.includes('\\') ? unquote(value.slice(at, end)) : content
        at = end
      }
    }
  }
  const open = value.indexOf('<', at)
  const semicolon = value.indexOf(';', at)
  const colon = value.indexOf(':', at)
  // RFC 3261 20.10: without brackets a semicolon starts header parameters; a `<` behind it is inside one of them.
  const isPlain = open < 0 || (semicolon >= 0 && semicolon < open && colon >= 0 && colon < semicolon)
  if (isPlain) {
    const end = semicolon < 0 ? value.length : semicolon
    return { displayName: quoted, uri: trimSpace(value, at, end), parametersAt: end }
  }
  const close = value.indexOf('>', open + 1)
  const end = close < 0 ? value.length : close
  return {
    displayName: quoted === '' ? trimSpace(value, at, open) : quoted,
    uri: trimSpace(value, open + 1, end),
    parametersAt: end,
  }
}

/** name-addr or addr-spec with header parameters. Never fails: what is not there is `''`. */
export function parseNameAddress(value: string): NameAddress {
  const { displayName, uri, parametersAt } = splitNameAddress(value)
  const { user, host } = parseUserHost(uri)
  return { displayName, uri, user, host, tag: findParameter(value, parametersAt, 'tag') ?? '' }
}

/** One header parameter of a name-addr value, for example `expires` of a Contact. `name` in lower case. */
export function nameAddressParameter(value: string, name: string): string | undefined {
  return findParameter(value, splitNameAddress(value).parametersAt, name)
}

/** The URI of a name-addr value, without brackets; cheaper than all of it. */
export function nameAddressUri(value: string): string {
  return splitNameAddress(value).uri
}
