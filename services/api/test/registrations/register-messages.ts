import type { RegisterMessage } from '../../src/registrations/register-columns.ts'

export const start = 1_795_391_929_000_000
export const second = 1_000_000

/** A REGISTER of one AOR `at` seconds after the start; what is given replaces the usual. */
export function register(at: number, more: Partial<RegisterMessage> = {}): RegisterMessage {
  const { callId = 'reg-1', cseq = 1, status = 0, source = 'wire' } = more
  return {
    atMicros: start + at * second,
    id: `${at} ${callId} ${cseq} ${status} ${source}`,
    node: 'pbx1',
    aor: '6001@pbx',
    source,
    direction: 'in',
    callId,
    cseq,
    status,
    reason: '',
    sightingKey: `${callId} ${cseq} ${status}`,
    client: { address: '198.51.100.7', port: 5060 },
    server: { address: '192.0.2.1', port: 5060 },
    userAgent: status === 0 ? 'Phone 1.0' : '',
    contacts: [{ uri: 'sip:6001@198.51.100.7:5060', lifetimeSeconds: 120 }],
    hasCredentials: status === 0,
    isStale: false,
    ...more,
  }
}

/** The request and its answer, 10 ms later. */
export function exchange(at: number, more: Partial<RegisterMessage> & { status: number }): RegisterMessage[] {
  const { status, ...request } = more
  return [
    register(at, request),
    register(at + 0.01, status < 300 ? { ...request, status } : { ...request, status, contacts: [] }),
  ]
}
