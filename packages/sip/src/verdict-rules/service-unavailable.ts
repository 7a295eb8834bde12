import { refusalRule } from '../refusal.ts'

/** 503. */
export const serviceUnavailable = refusalRule({
  id: 'F15-service-unavailable',
  title: 'Service unavailable',
  meaning: 'Overloaded, out of channels or down. Asterisk sends it for the causes 34 and 42 (congestion).',
  codes: new Map([[503, 'RFC 3261 21.5.4']]),
  us: {
    why: 'Asterisk found no way to the called side (cause 34 or 42, congestion)',
    checks: [
      'the leg behind: is the trunk or device reachable? "pjsip show contacts", pjsip.conf type=aor: qualify_frequency',
      'the dialplan: Congestion() or a Dial() to an endpoint without contact; the log at that second',
    ],
    options: [{ option: 'qualify_frequency', object: 'aor' }],
  },
  peer: {
    why: 'it is overloaded, out of channels or out of service',
    checks: [
      'how many channels and calls a second the provider allows, and how many were used at that second',
      'a second trunk to fall back to in the dialplan',
    ],
  },
})
