import { refusalRule } from '../refusal.ts'

/** 408: the one who answered got no answer from behind it. */
export const timeout = refusalRule({
  id: 'F10-timeout',
  title: 'Timeout behind the next hop',
  meaning: 'The one who answered is alive, but what is behind it did not answer in time.',
  codes: new Map([[408, 'RFC 3261 21.4.9']]),
  us: {
    why: 'Asterisk itself is alive, but what is behind it did not answer in time',
    checks: [
      'the leg that Asterisk opened for this call: was it answered? "pjsip show contacts" for the called endpoint',
      'the timeout in Dial(); pjsip.conf, type=system: timer_b',
    ],
    options: [{ option: 'timer_b', object: 'system' }],
  },
  peer: {
    why: 'it is alive itself, but what is behind it did not answer in time',
    checks: [
      'ask the provider for its next hop at that time',
      'a second trunk to fall back to in the dialplan',
    ],
  },
})
