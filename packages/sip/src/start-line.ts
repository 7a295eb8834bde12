import { isSpace, trimSpace } from './parameters.ts'

/** Request-Line or Status-Line, RFC 3261 7.1 and 7.2, in the text the caller gave. */
export interface StartLine {
  readonly kind: 'request' | 'response'
  readonly method: string
  readonly requestUri: string
  readonly status: number | null
  readonly reason: string
  readonly problems: readonly string[]
}

const knownMethods: ReadonlySet<string> = new Set([
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'PRACK',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'INFO',
  'REFER',
  'MESSAGE',
  'UPDATE',
])

const noProblems: readonly string[] = []

/** `undefined` when the line is neither. Tolerated, with a problem noted: other versions, extra spaces, spaces in the
 *  Request-URI, an impossible status code, a request without a version (only with a SIP or tel URI). `cut`: the line
 *  goes on behind the text, so its version cannot be there. */
export function parseStartLine(line: string, cut = false): StartLine | undefined {
  return isVersion(line, 0) ? parseStatusLine(line) : parseRequestLine(line, cut)
}

/** `SIP/` at the index, in any case (RFC 3261 7.1). */
function isVersion(line: string, at: number): boolean {
  return (
    line.startsWith('SIP/', at) || (line[at + 3] === '/' && line.slice(at, at + 4).toUpperCase() === 'SIP/')
  )
}

function parseStatusLine(line: string): StartLine | undefined {
  const usual = parseUsualStatusLine(line)
  if (usual !== undefined) return usual
  const first = line.indexOf(' ')
  if (first < 0) return undefined
  let at = first
  while (at < line.length && isSpace(line.charCodeAt(at))) at++
  let end = at
  while (end < line.length && !isSpace(line.charCodeAt(end))) end++
  const code = line.slice(at, end)
  if (code === '') return undefined
  const isCode = /^[1-9]\d\d$/.test(code)
  const problems: string[] = []
  if (!isCode) problems.push('the status code is not a number from 100 to 999')
  else if (code >= '700') problems.push('the status code is above 699')
  if (line.slice(0, first) !== 'SIP/2.0') problems.push('the version is not SIP/2.0')
  return {
    kind: 'response',
    method: '',
    requestUri: '',
    status: isCode ? Number(code) : null,
    reason: trimSpace(line, end),
    problems: problems.length === 0 ? noProblems : problems,
  }
}

/** The usual case at once; anything unusual takes the long way. */
function parseUsualStatusLine(line: string): StartLine | undefined {
  if (!line.startsWith('SIP/2.0 ')) return undefined
  const hundreds = line.charCodeAt(8) - 0x30
  const tens = line.charCodeAt(9) - 0x30
  const ones = line.charCodeAt(10) - 0x30
  // Behind the end of the line the code is NaN, and no comparison holds.
  if (!(hundreds >= 1 && hundreds <= 6 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9)) return undefined
  if (line.length > 11 && !isSpace(line.charCodeAt(11))) return undefined
  return {
    kind: 'response',
    method: '',
    requestUri: '',
    status: hundreds * 100 + tens * 10 + ones,
    reason: trimSpace(line, 11),
    problems: noProblems,
  }
}

function parseRequestLine(line: string, cut: boolean): StartLine | undefined {
  const space = line.indexOf(' ')
  const usualMethod = line.endsWith(' SIP/2.0') ? line.slice(0, Math.max(space, 0)) : ''
  if (knownMethods.has(usualMethod)) {
    const requestUri = line.slice(space + 1, -8)
    // The usual case at once; anything unusual takes the long way below.
    if (requestUri !== '' && !requestUri.includes(' ') && !requestUri.includes('\t'))
      return {
        kind: 'request',
        method: usualMethod,
        requestUri,
        status: null,
        reason: '',
        problems: noProblems,
      }
  }
  let methodEnd = 0
  while (methodEnd < line.length && isTokenCode(line.charCodeAt(methodEnd))) methodEnd++
  if (methodEnd === 0 || !isSpace(line.charCodeAt(methodEnd))) return undefined
  let end = line.length
  while (end > methodEnd && isSpace(line.charCodeAt(end - 1))) end--
  let versionAt = end
  while (versionAt > methodEnd && !isSpace(line.charCodeAt(versionAt - 1))) versionAt--
  const hasVersion = versionAt > methodEnd && isVersion(line, versionAt)
  const requestUri = trimSpace(line, methodEnd, hasVersion ? versionAt : end)
  const problems: string[] = []
  if (!hasVersion) {
    if (!/^(sips?|tel):/i.test(requestUri)) return undefined
    if (!cut) problems.push('the start line has no SIP version')
  } else if (line.slice(versionAt, end) !== 'SIP/2.0') problems.push('the version is not SIP/2.0')
  if (requestUri === '') problems.push('the request has no Request-URI')
  else if (requestUri.includes(' ') || requestUri.includes('\t'))
    problems.push('the Request-URI has spaces in it')
  if (end !== line.length || (hasVersion && versionAt - methodEnd !== requestUri.length + 2))
    problems.push('extra spaces in the start line')
  return {
    kind: 'request',
    method: line.slice(0, methodEnd),
    requestUri,
    status: null,
    reason: '',
    problems: problems.length === 0 ? noProblems : problems,
  }
}

/** `token` of RFC 3261 25.1. */
function isTokenCode(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    (code > 0x20 && code < 0x7f && "-.!%*_+`'~".includes(String.fromCharCode(code)))
  )
}
