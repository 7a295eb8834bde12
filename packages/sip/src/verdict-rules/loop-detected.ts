import { refusalRule } from '../refusal.ts'

const meaning = {
  why: 'the request came back to a host that it had passed before',
  checks: [
    'an outbound route that points at our own address or name',
    'an incoming number that the dialplan sends back to the trunk it came from',
  ],
}

/** 482. */
export const loopDetected = refusalRule({
  id: 'F16-loop-detected',
  title: 'Routing loop',
  meaning: 'The request came back to a host that it had passed before: a route points in a circle.',
  codes: new Map([[482, 'RFC 3261 21.4.20']]),
  rfc: ['RFC 3261 16.3'],
  us: meaning,
  peer: meaning,
})
