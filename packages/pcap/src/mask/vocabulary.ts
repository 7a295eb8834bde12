import { reasonPhrase } from '@sip-capture/sip/reason-phrases.ts'

/** Words of Reason texts, Warning texts and vendors' headers that describe the protocol and nobody. */
const ownWords =
  'a an and answer answered any application asterisk audio bad bearer been busy by call called caller calling cancel ' +
  'cancelled canceled cannot capability cause channel circuit clear clearing code codec codecs completed congestion ' +
  'connection could credentials declined destination detected device disabled disconnect does elsewhere enabled ended error ' +
  'exchange expired facility failed failure false far for format forbidden freeswitch from global gone hangup here hold ' +
  'in incompatible incomplete interworking internal invalid is isdn lost mandatory match media message missing ' +
  'misdialled network no none normal not number of off offline on online or order out outgoing incoming inbound outbound ' +
  'parameter party peer permitted phone pickup picked pjsip procedure protocol proxy q recovery refused registered ' +
  'registration rejected remote replaced request requested required resource resources responding response result ' +
  'retry route rtp sdp sip server service session shortage stream subscriber switching stale success successful ' +
  'supported switch temporary termination terminated the timeout timer to too transit transport trunk true unable ' +
  'unallocated unassigned unavailable unknown unspecified unsupported up user video voice wrong yes ok registrar ' +
  // Values of parameters: transports, methods, Diversion reasons, privacy, disposition.
  'udp tcp tls ws wss sctp dtls uac uas invite ack bye options register prack subscribe notify publish info refer update ' +
  'active pending deactivated probation giveup noresource unconditional deflection away follow me do disturb conditional ' +
  'screen full uri history id critical party privacy header optional handling required render early ip dialog registrant ' +
  'recipient referee'

const words = new Set(ownWords.split(' '))
for (let status = 100; status < 700; status += 1) {
  for (const word of wordsOf(reasonPhrase(status))) words.add(word)
}

function wordsOf(text: string): string[] {
  return text
    .toLowerCase()
    .split(/[^a-z]+/)
    .filter((word) => word !== '')
}

/** Nothing but words of the protocol and numbers of at most three digits. */
export function isHarmlessText(text: string): boolean {
  return (
    text.length <= 200 &&
    /^[A-Za-z0-9 ,.;:=/_()'!-]*$/.test(text) &&
    !/\d{4}|\d[ .():=/_-]{1,2}\d/.test(text) &&
    wordsOf(text).every((word) => words.has(word))
  )
}

/** A name of the protocol (parameter, option tag, header): letters, a few digits; dots as in `+sip.instance` alone. */
export function isHarmlessName(text: string): boolean {
  return (
    /^[A-Za-z+][A-Za-z0-9._+-]{0,40}$/.test(text) &&
    !/\d{4}|\d[._+-]+\d|^\+\d/.test(text) &&
    (!/[a-z]\.[a-z]/i.test(text) || /^\+(?:sip\.[a-z-]+|g\.3gpp\.[a-z-]+)$|^[a-z]{1,20}\.winfo$/i.test(text))
  )
}

const methods: ReadonlySet<string> = new Set(
  'INVITE ACK BYE CANCEL OPTIONS REGISTER PRACK SUBSCRIBE NOTIFY PUBLISH INFO REFER MESSAGE UPDATE SERVICE BENOTIFY'.split(
    ' ',
  ),
)

export function isKnownMethod(text: string): boolean {
  return methods.has(text)
}
