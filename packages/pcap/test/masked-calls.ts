import { bytesOf } from './samples.ts'

export interface WireMessage {
  readonly from: 'phone' | 'pbx'
  readonly payload: Uint8Array
}

export const phone = { address: '10.20.30.41', port: 5060 }
export const pbx = { address: '198.51.100.77', port: 5060 }

const callee = '+4930901820455'
const callId = '7f3c9e21-51aa-4d0b@10.20.30.41'
const digest = '6629fae49393a05397450978507c4ef1'
const nonce = '1760000000/5d4c3b2a190807f6e5d4c3b2a1908070'
const cnonce = '0a4f113b9ac2d8e7'

/** What must not be in a masked file, in any spelling; short extensions are left out, chance could write them. */
export const originals = [
  '4930901820455',
  '30901820455',
  '49301234567',
  '12025550143',
  'Alice',
  'alice',
  'Wonderland',
  'Bob "the" Builder',
  'Builder',
  'bob.builder',
  'Jürgen',
  'pbx.musterfirma.example',
  'musterfirma',
  '10.20.30.41',
  '198.51.100.77',
  '203.0.113.200',
  '2001:db8:77::5',
  callId,
  '7f3c9e21',
  digest,
  nonce,
  cnonce,
  'WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
  'F7gI',
  'x9cml/YzichV2+XlhiMu8g',
  'geheimes Treffen',
  '0015651a2b3c',
  '00:15:65:1a:2b:3c',
  'cell-262-01-4711',
]

const sdp = (user: string, address: string): string =>
  [
    'v=0',
    `o=${user} 4930901820455 2 IN IP4 ${address}`,
    's=Call of Alice',
    'i=geheimes Treffen',
    'u=http://pbx.musterfirma.example/alice',
    'e=alice@pbx.musterfirma.example',
    'p=+49 30 901820-455',
    `c=IN IP4 ${address}`,
    't=0 0',
    'k=clear:geheimes Treffen',
    'a=ice-ufrag:F7gI',
    'a=ice-pwd:x9cml/YzichV2+XlhiMu8g',
    'm=audio 40000 RTP/SAVP 8 101',
    'a=rtpmap:8 PCMA/8000',
    'a=rtpmap:101 telephone-event/8000',
    'a=fmtp:101 0-16',
    `a=rtcp:40001 IN IP4 ${address}`,
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz',
    'a=candidate:Ha141e29 1 UDP 2130706431 10.20.30.41 40000 typ host',
    'a=candidate:S1 1 UDP 1694498815 203.0.113.200 40000 typ srflx raddr 10.20.30.41 rport 40000',
    'a=ssrc:12025550143 cname:alice@10.20.30.41',
    'a=sendrecv',
    '',
  ].join('\r\n')

function message(start: string, headers: readonly string[], body = ''): Uint8Array {
  return bytesOf([start, ...headers, `Content-Length: ${bytesOf(body).length}`, '', body].join('\r\n'))
}

const dialog = (cseq: string, branch: string, toTag = ''): string[] => [
  `Via: SIP/2.0/UDP 10.20.30.41:5060;rport;branch=z9hG4bK${branch}`,
  `From: "Alice Wonderland" <sip:+49301234567@pbx.musterfirma.example>;tag=al49301234567`,
  `To: <sip:${callee}@pbx.musterfirma.example;user=phone>${toTag === '' ? '' : `;tag=${toTag}`}`,
  `Call-ID: ${callId}`,
  `CSeq: ${cseq}`,
]

const invite = (cseq: number, branch: string, extra: readonly string[]): WireMessage => ({
  from: 'phone',
  payload: message(
    `INVITE sip:%2B4930901820455@pbx.musterfirma.example;user=phone SIP/2.0`,
    [
      ...dialog(`${cseq} INVITE`, branch),
      'Max-Forwards: 70',
      'm: <sip:+49301234567@10.20.30.41:5060;transport=udp>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-0015651a2b3c>"',
      'P-Asserted-Identity: "Bob \\"the\\" Builder" <sip:bob.builder@pbx.musterfirma.example>,\r\n <tel:+49-30-1234567>',
      'Remote-Party-ID: "Jürgen" <sip:1001@198.51.100.77>;party=calling;screen=yes;privacy=off',
      'Diversion: <tel:+12025550143>;reason=unconditional;counter=1',
      'History-Info: <sip:+12025550143@pbx.musterfirma.example?Reason=SIP%3Bcause%3D302>;index=1.1',
      'P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=cell-262-01-4711',
      'X-Customer: Alice Wonderland 4930901820455',
      'X-Encoded: NDkzMDkwMTgyMDQ1NQ== 34393330393031383230343535',
      'Subject: geheimes Treffen',
      'Replaces: 7f3c9e21-51aa-4d0b%4010.20.30.41;to-tag=1;from-tag=2',
      'Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiNDkzMDEyMzQ1NjcifX0.c2ln;info=<https://pbx.musterfirma.example/c.pem>',
      'Organization: Musterfirma',
      'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS',
      'Supported: 100rel, timer, replaces',
      'User-Agent: Yealink SIP-T46S 66.84.0.15 0015651a2b3c',
      'Content-Type: application/sdp',
      ...extra,
    ],
    sdp('alice', '10.20.30.41'),
  ),
})

const answer = (
  status: string,
  cseq: string,
  branch: string,
  extra: readonly string[] = [],
  body = '',
): WireMessage => ({
  from: 'pbx',
  payload: message(
    `SIP/2.0 ${status}`,
    [
      ...dialog(cseq, branch, 'pbx1').map((line) =>
        line.startsWith('Via') ? `${line.replace(';rport', ';rport=5060')};received=10.20.30.41` : line,
      ),
      'Server: Asterisk PBX 22.10.0',
      ...extra,
    ],
    body,
  ),
})

/** A call with a challenge, a transfer, digits, a message; a registration. */
export const calls: readonly WireMessage[] = [
  invite(101, 'one', []),
  answer('401 Unauthorized', '101 INVITE', 'one', [
    `WWW-Authenticate: Digest realm="pbx.musterfirma.example",\r\n\tnonce="${nonce}",opaque="5ccc069c403ebaf9f0171e9517f40e41",algorithm=MD5,qop="auth"`,
  ]),
  {
    from: 'phone',
    payload: message(`ACK sip:${callee}@pbx.musterfirma.example SIP/2.0`, dialog('101 ACK', 'one', 'pbx1')),
  },
  invite(102, 'two', [
    `Authorization: Digest username="alice", realm="pbx.musterfirma.example", nonce="${nonce}", uri="sip:%2B4930901820455@pbx.musterfirma.example",\r\n response="${digest}", cnonce="${cnonce}", nc=00000001, qop=auth, algorithm=MD5`,
  ]),
  answer('100 Trying', '102 INVITE', 'two'),
  answer('183 Session for Alice', '102 INVITE', 'two', [
    'Warning: 399 pbx.musterfirma.example "Alice is 4930901820455"',
  ]),
  answer(
    '200 OK',
    '102 INVITE',
    'two',
    [`Contact: <sip:${callee}@198.51.100.77:5060>`, 'c: application/sdp'],
    sdp('-', '198.51.100.77'),
  ),
  {
    from: 'phone',
    payload: message(`ACK sip:${callee}@198.51.100.77 SIP/2.0`, dialog('102 ACK', 'three', 'pbx1')),
  },
  {
    from: 'phone',
    payload: message(
      `INFO sip:${callee}@198.51.100.77 SIP/2.0`,
      [...dialog('103 INFO', 'four', 'pbx1'), 'Content-Type: application/dtmf-relay'],
      'Signal=7\r\nDuration=250\r\n',
    ),
  },
  answer('200 OK', '103 INFO', 'four'),
  {
    from: 'phone',
    payload: message(`REFER sip:${callee}@198.51.100.77 SIP/2.0`, [
      ...dialog('104 REFER', 'five', 'pbx1'),
      'Refer-To: <sip:1001@pbx.musterfirma.example?Replaces=7f3c9e21-51aa-4d0b%4010.20.30.41%3Bto-tag%3Dpbx1>',
      'Referred-By: Alice <sip:alice@pbx.musterfirma.example>',
    ]),
  },
  answer('202 Accepted', '104 REFER', 'five'),
  {
    from: 'pbx',
    payload: message(
      'NOTIFY sip:+49301234567@10.20.30.41 SIP/2.0',
      [
        ...dialog('105 NOTIFY', 'six', 'pbx1'),
        'Event: refer',
        'Subscription-State: terminated;reason=noresource',
        'Content-Type: message/sipfrag;version=2.0',
      ],
      `SIP/2.0 200 OK\r\nTo: <sip:${callee}@pbx.musterfirma.example>\r\n`,
    ),
  },
  {
    from: 'phone',
    payload: message(
      `MESSAGE sip:bob.builder@pbx.musterfirma.example SIP/2.0`,
      [
        ...dialog('106 MESSAGE', 'seven', 'pbx1'),
        'Content-Type: multipart/mixed;boundary="geheimes Treffen"',
      ],
      `--geheimes Treffen\r\nContent-Type: text/plain\r\n\r\nAlice, geheimes Treffen, +49 30 901820455\r\n` +
        `--geheimes Treffen\r\nContent-Type: application/sdp\r\n\r\n${sdp('alice', '2001:db8:77::5')}\r\n--geheimes Treffen--\r\n`,
    ),
  },
  {
    from: 'pbx',
    payload: message('BYE sip:+49301234567@10.20.30.41 SIP/2.0', [
      ...dialog('107 BYE', 'eight', 'pbx1'),
      'Reason: Q.850;cause=16;text="Alice hung up"',
    ]),
  },
  answer('200 OK', '107 BYE', 'eight'),
  {
    from: 'phone',
    payload: message('REGISTER sip:pbx.musterfirma.example SIP/2.0', [
      'v: SIP/2.0/UDP [2001:db8:77::5]:5060;branch=z9hG4bK10.20.30.41',
      'f: alice <sip:alice@pbx.musterfirma.example>;tag=r1',
      't: <sip:alice@pbx.musterfirma.example>',
      'i: 00:15:65:1a:2b:3c',
      'CSeq: 1 REGISTER',
      'Contact: <sip:alice@[2001:db8:77::5]:5060>;expires=3600',
    ]),
  },
]
