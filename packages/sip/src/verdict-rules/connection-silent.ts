import type { VerdictRule } from '../finding.ts'
import { isUnanswered } from '../leg.ts'
import { unansweredInvite } from '../unanswered-invite.ts'
import { evidenceOf, nameOf, requestText } from '../wording.ts'

/** A request over TCP, TLS or WebSocket, and no SIP comes back. */
export const connectionSilent: VerdictRule = {
  id: 'N06-connection-silent',
  title: 'No answer over a connection',
  meaning:
    'A request went into a TCP, TLS or WebSocket connection and no SIP came back: the connection is dead at the other end, was reset, or TLS failed. Nothing is repeated there.',
  kind: 'outcome',
  checks: [
    'TCP resets and TLS alerts in the capture at that second; certificate, protocol version and port of the other side',
    'pjsip.conf, type=transport: tcp_keepalive_enable and its kin; type=global: keep_alive_interval, against connections that die unnoticed',
    'a firewall or proxy that forgets idle connections',
  ],
  rfc: ['RFC 3261 18.1.1', 'RFC 3261 18.4'],
  options: [
    { option: 'tcp_keepalive_enable', object: 'transport' },
    { option: 'keep_alive_interval', object: 'global' },
  ],
  methods: ['INVITE', 'REGISTER'],
  explain(leg, context) {
    const invite = unansweredInvite(leg, context)
    const register = leg.of('REGISTER').at(-1)
    const silent = invite?.isFinal
      ? invite.attempt
      : register && isUnanswered(leg, register, context.nowMicros)
        ? register
        : undefined
    const transport = silent?.request?.message.transport ?? 'UDP'
    if (!silent || transport === 'UDP') return null
    return {
      severity: 'error',
      side: 'network',
      confidence: 'medium',
      sentence:
        `${nameOf(silent, 'client')} sent the ${requestText(silent)} over ${transport} to ${nameOf(silent, 'server')}, and no ` +
        `SIP came back: the connection is dead or was refused, or what came was not captured.`,
      evidence: evidenceOf(silent.request, silent.requests.at(-1)),
      atMicros: silent.startedAtMicros,
      isFailure: true,
      absentSinceMicros: silent.startedAtMicros,
    }
  },
}
