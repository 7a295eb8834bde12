import type { SourceView } from '@sip-capture/contract/rest/source.ts'

/** What to do about a source that is not well, naming the setting; empty when all is well. */
export function adviceFor(source: SourceView): string[] {
  const service = source.kind === 'ami' ? 'ami-bridge' : 'capture-sidecar'
  if (source.stale)
    return [
      `The ${service} has not been heard for 15 seconds: is it running, and does its REDIS_URL reach the same Redis?`,
    ]
  if (source.state === 'off')
    return [
      source.kind === 'wire'
        ? 'Set TSHARK_ENABLED=true in the capture-sidecar to see what passes the network card.'
        : 'Set AMI_HOST, AMI_USERNAME and AMI_SECRET (and not AMI_TAP=off) in the ami-bridge to see what Asterisk sees.',
    ]
  if (source.state === 'failed')
    return [
      source.kind === 'wire'
        ? 'Check that the capture-sidecar or tshark (TSHARK_COMMAND) may capture (CAP_NET_RAW on the service or on dumpcap), and that TSHARK_INTERFACE and TSHARK_PORT are right.'
        : 'Check AMI_HOST, AMI_PORT, AMI_USERNAME and AMI_SECRET, and that manager.conf permits this address.',
    ]
  const advice: string[] = []
  if (source.state === 'up' && source.lastMessageAt === null)
    advice.push(
      source.kind === 'wire'
        ? 'No SIP yet: place a call. If Asterisk sees it and this does not, check TSHARK_PORT and TSHARK_INTERFACE.'
        : 'No SIP yet: place a call or register a phone.',
    )
  if (source.tap === 'history')
    advice.push(
      'This tap has whole-second stamps and re-printed messages; HEP_PROVISION=true and a restart of Asterisk give exact ones.',
    )
  return advice
}
