import {
  answer,
  audio,
  inDialog,
  invite,
  ofInvite,
  pause,
  recv,
  recvAnswer,
  recvRefusal,
  recvTaken,
  request,
} from './steps.ts'

/** Scenarios of the side that calls or registers at Asterisk, for the laboratory. Each is a list of steps. */
export type Steps = readonly string[]

const g729 = audio({ media: 'RTP/AVP 18', codec: '18 G729/8000', version: 2 })
const taken = [invite(), recvTaken, inDialog('ACK', 1)]
const hangsUp = (cseq: number): Steps => [inDialog('BYE', cseq), recv(200)]
const isHungUpOn: Steps = [recv('BYE'), answer('200 OK')]

/** Calls, is refused, confirms. */
export const callsAndIsRefused: Steps = [invite(), recvRefusal]
export const callsWith = (options: Parameters<typeof invite>[0]): Steps => [invite(options), recvRefusal]
export const callsAndHangsUp = (talkMs: number): Steps => [...taken, pause(talkMs), ...hangsUp(2)]
export const callsUntilHungUpOn: Steps = [...taken, ...isHungUpOn]
export const callsAndCancels = (afterMs: number): Steps => [
  invite(),
  recv(100),
  recv(180),
  pause(afterMs),
  ofInvite('CANCEL'),
  recv(200),
  recv(487),
  ofInvite('ACK'),
]
/** Asterisk repeats its 200 for 32 s and hangs up. */
export const neverConfirms: Steps = [invite(), recvTaken, ...isHungUpOn]
export const ignoresBye: Steps = [...taken, recv('BYE'), pause(34_000)]
/** Is refused, and waits until nobody can answer any more. */
export const callsAndIsRefusedAtLast: Steps = [...callsAndIsRefused, pause(34_000)]
/** Waits for a BYE that does not come. */
export const isNeverHungUpOn: Steps = [...taken, pause(38_000)]
/** As a phone behind NAT that does not know its own address: nobody is at the one it names. */
export const namesUnreachableContact: Steps = [
  invite({ headers: { Contact: '<sip:lab@192.168.77.2:5060>' } }),
  recvTaken,
  inDialog('ACK', 1),
  pause(38_000),
]
export const leavesOfferUnanswered: Steps = [
  request('INVITE'),
  recvTaken,
  inDialog('ACK', 1),
  pause(1500),
  ...hangsUp(2),
]
export const answersLateOffer: Steps = [
  request('INVITE'),
  recvTaken,
  inDialog('ACK', 1, { body: audio() }),
  pause(1000),
  ...hangsUp(2),
]
export const changesCodecInVain: Steps = [
  ...taken,
  pause(500),
  inDialog('INVITE', 2, { body: g729 }),
  recvAnswer(488),
  inDialog('ACK', 2, {
    headers: {
      Via: 'SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-INVITE-2',
    },
  }),
  pause(8000),
  ...hangsUp(3),
]
const changes = (cseq: number, direction: string): Steps => [
  inDialog('INVITE', cseq, { body: audio({ direction, version: cseq }) }),
  recvAnswer(200),
  inDialog('ACK', cseq),
]
export const holdsAndResumes: Steps = [
  ...taken,
  pause(500),
  ...changes(2, 'sendonly'),
  pause(1500),
  ...changes(3, 'sendrecv'),
  pause(1000),
  ...hangsUp(4),
]
export const holdsAndLeaves: Steps = [
  ...taken,
  pause(500),
  ...changes(2, 'sendonly'),
  pause(12_000),
  ...hangsUp(3),
]
/** Answers whatever comes of that method; hangs up after 4 s of silence, or is hung up on. */
const answersEach = (method: string, reply: string, cseq: number): Steps => [
  '<label id="again"/>',
  `<recv request="${method}" optional="true" timeout="4000" ontimeout="left" next="asked"/>`,
  '<recv request="ACK" optional="true" next="again"/>',
  '<recv request="BYE" next="over"/>',
  '<label id="asked"/>',
  reply.replace('<send>', '<send next="again">'),
  '<label id="left"/>',
  inDialog('BYE', cseq),
  recv(200, { next: 'done' }),
  '<label id="over"/>',
  answer('200 OK'),
  '<label id="done"/>',
  pause(100),
]
/** Calls, transfers to that number, and is told how it went. */
export const transfersAndIsTold = (number: string): Steps => [
  ...taken,
  pause(500),
  inDialog('REFER', 2, { headers: { 'Refer-To': `<sip:${number}@[remote_ip]:[remote_port]>` } }),
  recv(202),
  ...answersEach('NOTIFY', answer('200 OK'), 3),
]
/** Calls, and goes along with every change of the session. */
export const acceptsChanges: Steps = [
  ...taken,
  ...answersEach('INVITE', answer('200 OK', { body: audio({ version: 2 }) }), 2),
]

const register = (cseq: number, options: Parameters<typeof request>[1] = {}): string =>
  request('REGISTER', { cseq, ...options, headers: { Expires: '120', ...options.headers } })

/** A registration that ends with the last of these answers: challenged first when it is asked to log in. */
export const registers = (status: number, headers: Readonly<Record<string, string>> = {}): Steps => [
  register(1, { headers }),
  recv(status),
]
export const logsIn = (status: number): Steps => [
  register(1),
  recv(401, { auth: true }),
  register(2, { login: true }),
  recv(status),
]
/** Answers each challenge when its nonce is over, and is challenged again. */
export const logsInTooLate: Steps = [
  register(1),
  ...[2, 3, 4].flatMap((cseq) => [recv(401, { auth: true }), pause(3500), register(cseq, { login: true })]),
  recv(401),
]
/** The second try has the sequence number of the first. */
export const logsInWithOldSequence: Steps = [
  register(1),
  recv(401, { auth: true }),
  register(1, {
    login: true,
    headers: { Via: 'SIP/2.0/[transport] [local_ip]:[local_port];branch=z9hG4bK-[pid]-[call_number]-again' },
  }),
  recv(200),
]
const other = { headers: { Contact: '<sip:other@[local_ip]:5070>' } }
export const registersTwice = (second: number): Steps => [
  register(1),
  recv(200),
  register(2, other),
  recv(second),
]
/** Logs in and registers a first contact, then a second one. */
export const logsInTwice = (second: number): Steps => [
  ...logsIn(200),
  register(3, other),
  recv(401, { auth: true }),
  register(4, { ...other, login: true }),
  recv(second),
]
export const refreshesTooLate: Steps = [
  register(1, { headers: { Expires: '2' } }),
  recv(200),
  pause(7000),
  register(2, { headers: { Expires: '60' } }),
  recv(200),
]
export const asks = (
  method: string,
  status: number,
  headers: Readonly<Record<string, string>> = {},
): Steps => [request(method, { headers }), recv(status)]
/** Its Via names a port where nobody is, and it does not ask for rport: it hears nothing and repeats itself. */
export const namesWrongVia: Steps = [
  request('INVITE', {
    body: audio(),
    headers: { Via: 'SIP/2.0/[transport] [local_ip]:9999;branch=z9hG4bK-[pid]-[call_number]-astray' },
  }),
  '<recv response="486" timeout="9000" ontimeout="over"/>',
  '<label id="over"/>',
  pause(100),
]
