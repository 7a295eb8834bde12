import { refusalRule } from '../refusal.ts'

const meaning = {
  why: 'it wants the call to go through a proxy or another service',
  checks: [
    'the Contact and body of the answer name it; ask the provider',
    'pjsip.conf, type=endpoint: outbound_proxy',
  ],
  options: [{ option: 'outbound_proxy', object: 'endpoint' }] as const,
}

/** 305, 380. */
export const alternativeService = refusalRule({
  id: 'F19-alternative-service',
  title: 'Use another service or proxy',
  meaning: 'The call is possible, but only through the proxy or service that the answer names.',
  codes: new Map([
    [305, 'RFC 3261 21.3.4'],
    [380, 'RFC 3261 21.3.5'],
  ]),
  severity: 'warning',
  us: meaning,
  peer: meaning,
})
