/** Messages with private data wherever a header or body can carry some, as phones, carriers and forwarders write them. */

export interface Place {
  readonly pbx: string
  /** Who sends: address and port. */
  readonly own: string
}

/** What may not be in a masked file in any spelling. */
export const privateTexts = [
  '4930901820455',
  '30901820455',
  '49301234567',
  '12025550143',
  '442079460018',
  'wonderland',
  'alice',
  'dodo',
  'doris',
  'bob the',
  'builder',
  'jürgen',
  'carol',
  'musterfirma',
  'sbc.carrier.example',
  'carrier.example',
  '10.20.30.41',
  '198.51.100.77',
  '203.0.113.200',
  '0015651a2b3c',
  '7f3c9e21-51aa-4d0b',
  'secret plan',
  'kd3j8f0q2m',
  'eyjhbgcioijfuzi1nij9',
  'cell-262-01-4711',
  'customer-88231',
] as const

const sdp = [
  'v=0',
  'o=alice.wonder 4930901820455 2 IN IP4 10.20.30.41',
  's=Call of Alice Wonderland',
  'i=secret plan',
  'c=IN IP4 203.0.113.200',
  't=0 0',
  'm=audio 40000 RTP/SAVP 8 101',
  'a=rtpmap:8 PCMA/8000',
  'a=rtcp:40001 IN IP4 10.20.30.41',
  'a=candidate:1 1 UDP 1694498815 203.0.113.200 40000 typ srflx raddr 10.20.30.41 rport 40000',
  'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:kD3j8f0q2mkD3j8f0q2mkD3j8f0q2mkD3j8f0q2m',
  '',
].join('\r\n')

const multipart = [
  '--secret plan',
  'Content-Type: application/sdp',
  '',
  sdp,
  '--secret plan',
  'Content-Type: application/pidf+xml',
  '',
  '<presence entity="sip:alice@pbx.musterfirma.example"><note>secret plan</note></presence>',
  '--secret plan',
  'Content-Type: text/plain',
  '',
  'Alice, secret plan, +49 30 901820455',
  '--secret plan--',
  '',
].join('\r\n')

function request(
  { pbx, own }: Place,
  method: string,
  callId: string,
  headers: readonly string[],
  body = '',
): string {
  return [
    `${method} sip:+4930901820455@${pbx};user=phone SIP/2.0`,
    `Via: SIP/2.0/UDP ${own};rport;branch=z9hG4bK-${callId}`,
    'Via: SIP/2.0/UDP 10.20.30.41:5060;received=198.51.100.77;branch=z9hG4bK49301234567',
    'Record-Route: <sip:sbc.carrier.example;lr>, <sip:alice@198.51.100.77:5070;lr;ftag=49301234567>',
    'Max-Forwards: 70',
    'From: "Alice \\"Wonder\\" Wonderland" <sip:+49301234567@pbx.musterfirma.example>;tag=al49301234567',
    'To: "Doris \\"Dodo\\" Dialled" <sip:+4930901820455@sbc.carrier.example>',
    `Call-ID: ${callId}`,
    `CSeq: 7 ${method}`,
    `Contact: <sip:alice@${own};transport=udp>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-0015651a2b3c>"`,
    ...headers,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n')
}

export function privateMessages(place: Place): { readonly callId: string; readonly text: string }[] {
  const invite = [
    'Diversion: "Jürgen" <tel:+12025550143>;reason=unconditional;counter=1',
    'P-Asserted-Identity: "Bob the \\"Big\\" Builder" <sip:bob.builder@sbc.carrier.example>, <tel:+49-30-1234567>',
    'P-Preferred-Identity: <sip:carol@pbx.musterfirma.example>',
    'History-Info: <sip:+12025550143@sbc.carrier.example?Reason=SIP%3Bcause%3D302>;index=1, <sip:carol@198.51.100.77>;index=1.1',
    'Remote-Party-ID: "Jürgen" <sip:carol@198.51.100.77>;party=calling;screen=yes;privacy=off',
    'Call-Info: <http://pbx.musterfirma.example/alice/photo.jpg>;purpose=icon',
    'Identity: eyJhbGciOiJFUzI1NiJ9.eyJvcmlnIjp7InRuIjoiNDkzMDEyMzQ1NjcifX0.c2ln;info=<https://sbc.carrier.example/c.pem>;alg=ES256',
    'P-Access-Network-Info: 3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=cell-262-01-4711',
    'P-Charging-Vector: icid-value=customer-88231;orig-ioi=carrier.example',
    'X-Customer: customer-88231 Alice +49 (30) 901820455',
    'X-Encoded: NDkzMDkwMTgyMDQ1NQ==',
    'Subject: secret plan',
    'Organization: Musterfirma',
    'User-Agent: Yealink SIP-T46S 66.84.0.15 0015651a2b3c',
  ]
  const transfer = [
    'Refer-To: "Carol" <sip:carol@sbc.carrier.example?Replaces=7f3c9e21-51aa-4d0b%4010.20.30.41%3Bto-tag%3Dpbx1%3Bfrom-tag%3Dal1>',
    'Referred-By: Alice <sip:alice@pbx.musterfirma.example>;cid="7f3c9e21-51aa-4d0b@10.20.30.41"',
    'Replaces: 7f3c9e21-51aa-4d0b@10.20.30.41;to-tag=pbx1;from-tag=al1',
  ]
  const multipartType = 'Content-Type: multipart/mixed;boundary="secret plan"'
  return [
    {
      callId: '7f3c9e21-51aa-4d0b-1@10.20.30.41',
      text: request(
        place,
        'INVITE',
        '7f3c9e21-51aa-4d0b-1@10.20.30.41',
        [...invite, multipartType],
        multipart,
      ),
    },
    {
      callId: '7f3c9e21-51aa-4d0b-2@10.20.30.41',
      text: request(place, 'REFER', '7f3c9e21-51aa-4d0b-2@10.20.30.41', transfer),
    },
    {
      callId: '7f3c9e21-51aa-4d0b-3@10.20.30.41',
      text: request(
        place,
        'MESSAGE',
        '7f3c9e21-51aa-4d0b-3@10.20.30.41',
        ['Content-Type: text/plain'],
        'secret plan: call +442079460018',
      ),
    },
  ]
}
