import type { Steps } from './callers.ts'
import { answer, audio, fromCalled, pause, recv, recvCall } from './steps.ts'

/** Scenarios of the side that Asterisk calls, registers at or asks, for the laboratory. */

const rings = answer('180 Ringing', { mark: '' })
const takes = answer('200 OK', { mark: '', body: audio(), isRepeated: true })
const taken: Steps = [recvCall, rings, pause(200), takes, recv('ACK')]
const isHungUpOn = (line = '200 OK'): Steps => [recv('BYE'), answer(line)]
const cancelled = answer('487 Request Terminated', {
  mark: '',
  isToInvite: true,
  isRepeated: true,
})

export const refuses = (line: string, headers: Readonly<Record<string, string>> = {}): Steps => [
  recvCall,
  answer(line, { mark: '', headers, isRepeated: true }),
  recv('ACK'),
]
/** Refuses each try with a dialog of its own. */
export const refusesAgain = (lines: readonly string[], headers: Readonly<Record<string, string>>): Steps => [
  recvCall,
  ...lines.flatMap((line, index) => [
    ...(index === 0 ? [] : [recv('INVITE')]),
    answer(line, { mark: `-${index}`, headers: numbered(headers, index), isRepeated: true }),
    recv('ACK'),
  ]),
]
const numbered = (headers: Readonly<Record<string, string>>, index: number): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, value.replaceAll('#', `${index}`)]),
  )

export const answers: Steps = [...taken, ...isHungUpOn()]
export const wantsLogin = (challenge: string): Steps => [
  recvCall,
  answer('407 Proxy Authentication Required', {
    mark: '-0',
    headers: { 'Proxy-Authenticate': challenge },
    isRepeated: true,
  }),
  recv('ACK'),
  recv('INVITE'),
  rings,
  takes,
  recv('ACK'),
  ...isHungUpOn(),
]
export const neverAnswers: Steps = [recv('INVITE'), pause(37_000)]
export const ringsOn: Steps = [recvCall, rings, recv('CANCEL'), answer('200 OK'), cancelled, recv('ACK')]
export const onlyTries: Steps = [
  recvCall,
  answer('100 Trying'),
  recv('CANCEL'),
  answer('200 OK'),
  cancelled,
  recv('ACK'),
]
export const ignoresCancel: Steps = [recvCall, rings, recv('CANCEL'), pause(36_000)]
export const answersCancelledCall: Steps = [
  recvCall,
  rings,
  recv('CANCEL'),
  answer('200 OK'),
  answer('200 OK', {
    mark: '',
    isToInvite: true,
    body: audio(),
    isRepeated: true,
  }),
  recv('ACK'),
  ...isHungUpOn(),
]
export const ringsLate: Steps = [
  recvCall,
  answer('100 Trying'),
  pause(7000),
  rings,
  pause(300),
  takes,
  recv('ACK'),
  ...isHungUpOn(),
]
export const progressesInSilence: Steps = [
  recvCall,
  answer('183 Session Progress', { mark: '' }),
  pause(4000),
  takes,
  recv('ACK'),
  ...isHungUpOn(),
]
/** Two devices behind one proxy take the call, and each waits for its ACK and BYE. */
export const answersTwice: Steps = [
  recvCall,
  answer('180 Ringing', { mark: '-a' }),
  answer('180 Ringing', { mark: '-b' }),
  answer('200 OK', { mark: '-a', body: audio(), isToInvite: true }),
  answer('200 OK', { mark: '-b', body: audio(), isToInvite: true }),
  '<label id="more"/>',
  '<recv request="ACK" optional="true" timeout="6000" ontimeout="over" next="more"/>',
  '<recv request="BYE"/>',
  answer('200 OK').replace('<send>', '<send next="more">'),
  '<label id="over"/>',
  pause(100),
]
export const knowsNoBye: Steps = [...taken, ...isHungUpOn('481 Call/Transaction Does Not Exist')]
export const hangsUp = (headers: Readonly<Record<string, string>> = {}): Steps => [
  ...taken,
  pause(1200),
  fromCalled('BYE', 1, { headers }),
  recv(200),
]
/** Takes the call and then refuses what is asked of it, as often as it is asked. */
export const refusesChanges = (line: string): Steps => [
  ...taken,
  '<label id="again"/>',
  '<recv request="INVITE" optional="true" next="change"/>',
  '<recv request="ACK" optional="true" next="again"/>',
  '<recv request="BYE" next="over"/>',
  '<label id="change"/>',
  answer(line).replace('<send>', '<send next="again">'),
  '<label id="over"/>',
  answer('200 OK'),
]
/** Wants to refresh the session itself, and never does. */
export const neverRefreshes: Steps = [
  recvCall,
  rings,
  answer('200 OK', {
    mark: '',
    body: audio(),
    isRepeated: true,
    headers: { Require: 'timer', Supported: 'timer', 'Session-Expires': '90;refresher=uas' },
  }),
  recv('ACK'),
  ...isHungUpOn(),
]
/** Nobody is at the address that it names, so that it never gets the ACK. */
export const namesUnreachableContact: Steps = [
  recvCall,
  rings,
  ...[500, 1000, 2000, 4000, 4000].flatMap((wait) => [
    answer('200 OK', {
      mark: '',
      body: audio(),
      isToInvite: true,
      headers: { Contact: '<sip:lab@192.168.77.3:5060>' },
    }),
    pause(wait),
  ]),
  pause(26_000),
]
/** Gets the ACK, does not see it, and gives up when Timer H ends (RFC 3261 13.3.1.4). */
export const overlooksAck: Steps = [
  recvCall,
  rings,
  ...[500, 1000, 2000, 4000, 4000, 4000, 4000, 4000, 4000, 4000].flatMap((wait) => [
    answer('200 OK', { mark: '', body: audio(), isToInvite: true }),
    pause(wait),
  ]),
  pause(600),
  fromCalled('BYE', 1),
  recv(200),
]

export const ignores = (method: string): Steps => [recv(method), pause(37_000)]
export const replies = (
  method: string,
  line: string,
  headers: Readonly<Record<string, string>> = {},
): Steps => [recv(method), answer(line, { mark: '', headers })]
/** A registrar: one answer for each REGISTER that comes. */
export const repliesInTurn = (
  lines: readonly (readonly [line: string, headers: Readonly<Record<string, string>>])[],
): Steps =>
  lines.flatMap(([line, headers], index) => [recv('REGISTER'), answer(line, { mark: `-${index}`, headers })])
