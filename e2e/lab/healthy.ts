import * as called from '@sip-capture/infra/sipp/lab/called.ts'
import * as callers from '@sip-capture/infra/sipp/lab/callers.ts'
import type { Entry } from './fault.ts'

const talk = 'exten => 100,1,Answer()\n same => n,Wait(60)'
const login = 'auth_type=userpass\npassword=right'
const challenge = 'Digest realm="trunk",nonce="laboratory-#",algorithm=MD5,qop="auth"'

/** What a PBX does all day: no finding about it may be a warning. */
export const healthy: readonly Entry[] = [
  { name: 'answered', caller: callers.callsAndHangsUp(2000), called: called.answers },
  { name: 'called-hangs-up', caller: callers.callsUntilHungUpOn, called: called.hangsUp() },
  {
    name: 'normal-clearing',
    caller: callers.callsUntilHungUpOn,
    called: called.hangsUp({ Reason: 'Q.850;cause=16' }),
  },
  { name: 'application', caller: callers.callsAndHangsUp(1000), dialplan: talk },
  {
    name: 'phone-behind-nat-rewritten',
    caller: callers.callsUntilHungUpOn,
    dialplan: 'exten => 100,1,Answer()\n same => n,Wait(2)\n same => n,Hangup()',
    settings: { endpoint: 'rewrite_contact=yes\nrtp_symmetric=yes' },
    isBehindNat: true,
  },
  { name: 'cancelled', caller: callers.callsAndCancels(1500), called: called.ringsOn },
  { name: 'not-answered', caller: callers.callsAndIsRefused, called: called.ringsOn, dialSeconds: 4 },
  { name: 'hold-and-resume', caller: callers.holdsAndResumes, called: called.answers },
  { name: 'late-offer-answered', caller: callers.answersLateOffer, dialplan: talk },
  {
    name: 'login-at-trunk',
    caller: callers.callsAndHangsUp(1000),
    called: called.wantsLogin(challenge.replace('#', '1')),
    settings: { trunkAuth: 'auth_type=userpass\nusername=us\npassword=ours' },
  },
  {
    name: 'rings-everywhere',
    caller: callers.callsAndHangsUp(1000),
    called: called.answers,
    dialplan: 'exten => 100,1,Dial(PJSIP/100@rings-everywhere-trunk&PJSIP/100@rings-too-trunk,20)',
  },
  { name: 'rings-too', called: called.ringsOn },
  { name: 'registered', caller: callers.logsIn(200), settings: { auth: login }, password: 'right' },
  { name: 'registered-openly', caller: callers.registers(200) },
  {
    name: 'registered-longer',
    called: called.repliesInTurn([
      ['423 Interval Too Brief', { 'Min-Expires': '7200' }],
      ['200 OK', { Expires: '7200' }],
    ]),
    settings: { registration: 'retry_interval=600' },
  },
  // Asterisk confirms the second answer and hangs it up: nobody is left in the call.
  { name: 'forked-answers', caller: callers.callsAndHangsUp(2000), called: called.answersTwice },
  {
    name: 'qualified',
    called: called.replies('OPTIONS', '200 OK'),
    command: 'pjsip qualify qualified-trunk',
  },
  {
    name: 'registered-there',
    called: called.repliesInTurn([
      ['401 Unauthorized', { 'WWW-Authenticate': challenge.replace('#', '2') }],
      ['200 OK', { Expires: '3600' }],
    ]),
    settings: {
      registration: 'retry_interval=600',
      trunkAuth: 'auth_type=userpass\nusername=us\npassword=ours',
    },
  },
]
