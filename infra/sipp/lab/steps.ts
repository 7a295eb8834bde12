/** The steps of a SIPp scenario, as XML. SIPp has no includes, so the messages that all scenarios share are written here. */

export interface RequestOptions {
  readonly cseq?: number
  /** Also Max-Forwards, From and so on when they are named here: a header of that name replaces the usual one. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly type?: string
  /** With the answer to the last challenge. */
  readonly login?: boolean
  /** Sent again as RFC 3261 17.1 says, until something comes. False: sent once. */
  readonly isRepeated?: boolean
}

const tag = '[pid]-[call_number]'
const own = 'sip:lab@[local_ip]:[local_port]'
const remote = '[remote_ip]:[remote_port]'

/** G.711, as both sides of the laboratory speak it. `direction` as in RFC 3264. */
export function audio({
  direction = 'sendrecv',
  media = 'RTP/AVP 0',
  codec = '0 PCMU/8000',
  version = 1,
} = {}): string {
  return [
    'v=0',
    `o=- 1 ${version} IN IP[local_ip_type] [local_ip]`,
    's=-',
    'c=IN IP[local_ip_type] [local_ip]',
    't=0 0',
    `m=audio [media_port] ${media}`,
    `a=rtpmap:${codec}`,
    `a=${direction}`,
  ].join('\n')
}

function send(lines: readonly string[], body: string, isRepeated: boolean): string {
  const text = [...lines, '', body].join('\n')
  return `<send${isRepeated ? ' retrans="500"' : ''}><![CDATA[\n${text}\n]]></send>`
}

function headerLines(
  usual: Readonly<Record<string, string>>,
  given: Readonly<Record<string, string>> = {},
): string[] {
  return Object.entries({ ...usual, ...given }).map(([name, value]) => `${name}: ${value}`)
}

function bodyHeaders(body: string | undefined, type = 'application/sdp'): Record<string, string> {
  return body === undefined ? { 'Content-Length': '0' } : { 'Content-Type': type, 'Content-Length': '[len]' }
}

/** A request of the calling side that opens a dialog or stands alone. To: the number of `-s`. */
export function request(method: string, options: RequestOptions = {}): string {
  const { cseq = 1, headers, body, type, login = false, isRepeated = true } = options
  const uri = method === 'REGISTER' ? `sip:${remote}` : `sip:[service]@${remote}`
  const user = method === 'REGISTER' ? '[service]' : 'lab'
  const usual = {
    Via: `SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-${tag}-${cseq}`,
    'Max-Forwards': '70',
    From: `<sip:${user}@${method === 'REGISTER' ? remote : '[local_ip]:[local_port]'}>;tag=${tag}`,
    To: `<sip:[service]@${remote}>`,
    'Call-ID': '[call_id]',
    CSeq: `${cseq} ${method}`,
    Contact: `<${own};transport=[transport]>`,
    ...bodyHeaders(body, type),
  }
  const lines = [...headerLines(usual, headers), ...(login ? ['[authentication]'] : [])]
  return send([`${method} ${uri} SIP/2.0`, ...lines], body ?? '', isRepeated)
}

export function invite(options: RequestOptions = {}): string {
  return request('INVITE', { body: audio(), ...options })
}

/** A request inside the dialog that `invite` opened; the route and target come from the answer. */
export function inDialog(method: string, cseq: number, options: RequestOptions = {}): string {
  const { headers, body, type, isRepeated = method !== 'ACK' } = options
  const usual = {
    Via: `SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-${tag}-${method}-${cseq}`,
    'Max-Forwards': '70',
    From: `<sip:lab@[local_ip]:[local_port]>;tag=${tag}`,
    To: `<sip:[service]@${remote}>;tag=[$peer]`,
    'Call-ID': '[call_id]',
    CSeq: `${cseq} ${method}`,
    Contact: `<${own};transport=[transport]>`,
    ...bodyHeaders(body, type),
  }
  return send([`${method} [next_url] SIP/2.0`, ...headerLines(usual, headers)], body ?? '', isRepeated)
}

/** CANCEL of the INVITE with that CSeq, or the ACK of its refusal: both belong to its transaction. */
export function ofInvite(method: 'CANCEL' | 'ACK', cseq = 1): string {
  const usual = {
    Via: `SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-${tag}-${cseq}`,
    'Max-Forwards': '70',
    From: `<sip:lab@[local_ip]:[local_port]>;tag=${tag}`,
    To: `<sip:[service]@${remote}>${method === 'ACK' ? '[peer_tag_param]' : ''}`,
    'Call-ID': '[call_id]',
    CSeq: `${cseq} ${method}`,
    'Content-Length': '0',
  }
  return send([`${method} sip:[service]@${remote} SIP/2.0`, ...headerLines(usual)], '', method === 'CANCEL')
}

export interface AnswerOptions {
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** Given to a request that opens a dialog; two answers with two marks are two dialogs. */
  readonly mark?: string
  readonly isRepeated?: boolean
  /** To the INVITE of `recvCall`, whatever came after it; `mark` must be given. */
  readonly isToInvite?: boolean
}

/** An answer to the last request that came. Without `mark` it is one inside a dialog. */
export function answer(line: string, options: AnswerOptions = {}): string {
  const { headers, body, mark, isRepeated = false, isToInvite = false } = options
  const newTag = mark === undefined ? '' : `;tag=${tag}${mark}`
  const lines = [
    `SIP/2.0 ${line}`,
    isToInvite ? 'Via: [$inviteVia]' : '[last_Via:]',
    isToInvite ? 'From: [$caller]' : '[last_From:]',
    isToInvite ? `To: [$callee]${newTag}` : `[last_To:]${newTag}`,
    '[last_Call-ID:]',
    isToInvite ? 'CSeq: [$inviteCseq]' : '[last_CSeq:]',
    ...headerLines({ Contact: `<${own};transport=[transport]>`, ...bodyHeaders(body) }, headers),
  ]
  return send(lines, body ?? '', isRepeated)
}

/** A request of the called side inside the dialog; after `recvCall`. */
export function fromCalled(method: string, cseq: number, options: RequestOptions = {}): string {
  const { headers, body } = options
  const usual = {
    Via: `SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-${tag}-${method}-${cseq}`,
    'Max-Forwards': '70',
    From: `[$callee];tag=${tag}`,
    To: '[$caller]',
    'Call-ID': '[call_id]',
    CSeq: `${cseq} ${method}`,
    Contact: `<${own};transport=[transport]>`,
    ...bodyHeaders(body),
  }
  return send([`${method} [next_url] SIP/2.0`, ...headerLines(usual, headers)], body ?? '', method !== 'ACK')
}

function keep(header: string, into: string): string {
  return `<ereg regexp="[^ ].*" search_in="hdr" header="${header}:" assign_to="${into}"/>`
}

/** Waits for an INVITE from outside and keeps whom it is from and to. */
export const recvCall = `<recv request="INVITE" rrs="true"><action>${keep('From', 'caller')}${keep('To', 'callee')}${keep('Via', 'inviteVia')}${keep('CSeq', 'inviteCseq')}</action></recv>
<Reference variables="caller,callee,inviteVia,inviteCseq"/>`

export function recv(what: string | number, { auth = false, next = '' } = {}): string {
  const kind = typeof what === 'number' ? 'response' : 'request'
  return `<recv ${kind}="${what}"${auth ? ' auth="true"' : ''}${next === '' ? '' : ` next="${next}"`}/>`
}

/** Waits for an answer; what comes before it may come. */
export function recvAnswer(status: number, options: { auth?: boolean } = {}): string {
  return (
    [100, 180, 181, 183].map((early) => `<recv response="${early}" optional="true"/>`).join('') +
    recv(status, options)
  )
}

/** Waits for the 200 to the INVITE and keeps what requests inside the dialog need. */
export const recvTaken = `${[100, 180, 181, 183].map((early) => `<recv response="${early}" optional="true"/>`).join('')}
<recv response="200" rrs="true"><action><ereg regexp=";tag=([^;]+)" search_in="hdr" header="To:" assign_to="whole,peer"/></action></recv>
<Reference variables="whole,peer"/>`

const refusals = [
  400, 401, 403, 404, 405, 407, 408, 410, 415, 420, 421, 422, 433, 480, 481, 482, 483, 484, 485, 486, 487,
  488, 489, 491, 493, 500, 501, 502, 503, 504, 505, 513, 603, 604,
]

/** Waits for a refusal of the INVITE, whichever it is, and confirms it. */
export const recvRefusal = [
  ...[100, 180, 181, 183].map((early) => `<recv response="${early}" optional="true"/>`),
  ...refusals.map((status) => `<recv response="${status}" optional="true" next="refused"/>`),
  '<recv response="606"/>',
  '<label id="refused"/>',
  ofInvite('ACK'),
].join('\n')

export function pause(milliseconds: number): string {
  return `<pause milliseconds="${milliseconds}"/>`
}

/** The steps as a file for `sipp -sf`. */
export function scenario(name: string, steps: readonly string[]): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`
}
