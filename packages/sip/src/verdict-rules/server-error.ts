import { refusalRule } from '../refusal.ts'

/** 500, 502, 504. */
export const serverError = refusalRule({
  id: 'F14-server-error',
  title: 'Error inside the server',
  meaning:
    'Something went wrong inside the one who answered, or behind it. Asterisk sends 500 for the causes 38 and 127.',
  codes: new Map([
    [500, 'RFC 3261 21.5.1'],
    [502, 'RFC 3261 21.5.3'],
    [504, 'RFC 3261 21.5.5'],
  ]),
  us: {
    why: 'something went wrong inside Asterisk or on the leg behind it',
    checks: ['the Asterisk log at that second', 'the leg behind: what did it end with?'],
  },
  peer: {
    why: 'something went wrong inside it or behind it',
    checks: ['its log at that second, or ask the provider', 'a second trunk to fall back to in the dialplan'],
  },
})
