import type { SipMessage } from './message.ts'
import { parseNameAddress } from './name-address.ts'
import { toPrintable } from './printable.ts'
import { reasonPhrase } from './reason-phrases.ts'
import type { SdpNote } from './sdp-change.ts'
import { parseUserHost } from './uri.ts'

/** `INVITE`, `401 Unauthorized`, `200 OK (BYE)`: a 2xx alone does not say what succeeded, so it names its method. */
export function arrowLabel(message: SipMessage): string {
  if (message.kind === 'request') return toPrintable(message.method, 32)
  if (message.status === null) return toPrintable(message.startLine, 32)
  const reason = toPrintable(message.reason, 40) || reasonPhrase(message.status)
  const method = message.status >= 200 && message.status < 300 ? ` (${toPrintable(message.method, 32)})` : ''
  return `${message.status}${reason === '' ? '' : ` ${reason}`}${method}`
}

/** A second line: who is called, what a re-INVITE changes, where a transfer goes, why a call ended. */
export function arrowDetail(message: SipMessage, sdp: SdpNote): string {
  const parts: string[] = []
  if (message.kind === 'request') parts.push(...requestWords(message))
  if (sdp.summary !== '') parts.push(...sdpWords(message, sdp))
  for (const name of tellingHeaders) {
    const value = message.header(name)
    if (value !== undefined && value !== '') parts.push(name === 'reason' ? value : `${name} ${value}`)
  }
  if (parts.length === 0 && (message.status ?? 0) < 300) return ''
  if (message.status !== null && message.status >= 300 && message.status < 400)
    parts.push(...targetOf(message.header('contact'), 'to'))
  return toPrintable(parts.join(' · '), 120)
}

const tellingHeaders = ['reason', 'warning', 'retry-after'] as const

function requestWords(message: SipMessage): string[] {
  const words: string[] = []
  if (message.method === 'INVITE') {
    if (message.toTag !== '') words.push('re-INVITE')
    else {
      const { user, host } = parseUserHost(message.requestUri)
      const called = user || host
      if (called !== '') words.push(`to ${called}`)
    }
    if (message.header('replaces') !== undefined) words.push('replaces a call')
  }
  if (message.method === 'REFER') words.push(...targetOf(message.header('refer-to'), 'to'))
  if (message.method === 'NOTIFY' || message.method === 'SUBSCRIBE') {
    const event = message.header('event')
    if (event !== undefined) words.push(event)
    // RFC 3515 2.4.4: the answer that the transfer got so far.
    if (message.header('content-type')?.toLowerCase().startsWith('message/sipfrag') === true)
      words.push(new TextDecoder().decode(message.body.subarray(0, 80)).split(/\r?\n/)[0] ?? '')
  }
  if (message.method === 'INFO' || message.method === 'MESSAGE') {
    const type = message.header('content-type')
    if (type !== undefined) words.push(type)
  }
  return words.filter((word) => word !== '')
}

function targetOf(value: string | undefined, word: string): string[] {
  if (value === undefined) return []
  const { user, host, uri } = parseNameAddress(value)
  const target = user || host || uri
  const replaces = /[?&]Replaces=/i.test(uri) ? ', replacing a call' : ''
  return target === '' ? [] : [`${word} ${target}${replaces}`]
}

function sdpWords(message: SipMessage, sdp: SdpNote): string[] {
  if (sdp.changes.length > 0) return sdp.changes.slice(0, 6)
  // An answer that only says what was said before, a 200 after a 183, is no news.
  return [sdp.isRepeated ? (message.kind === 'request' ? 'SDP as before' : 'same SDP') : sdp.summary]
}
