/** Why a connection could not be had, which decides the sentence and how long to wait before the next try. */
export type AmiFailureKind =
  | 'unreachable'
  | 'refused'
  | 'unknown-host'
  | 'not-ami'
  | 'rejected'
  | 'login'
  | 'tls'
  | 'lost'

export interface AmiFailure {
  readonly kind: AmiFailureKind
  /** One sentence for the operator, naming the settings to check. */
  readonly sentence: string
}

interface Peer {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly isTls: boolean
}

const at = (peer: Peer) => `${peer.host.includes(':') ? `[${peer.host}]` : peer.host}:${peer.port}`

/** Bytes of a stranger, safe in a sentence and a log line. */
export function printable(text: string, maxLength = 60): string {
  return JSON.stringify(text.slice(0, maxLength))
    .slice(1, -1)
    .replace(/[^\x20-\x7e]/g, '?')
}

export function describeSocketError(error: NodeJS.ErrnoException, peer: Peer): AmiFailure {
  const code = error.code ?? ''
  if (code === 'ECONNREFUSED')
    return {
      kind: 'refused',
      sentence: `Nothing listens at ${at(peer)}: check AMI_HOST and AMI_PORT, that Asterisk runs, and that manager.conf has enabled=yes`,
    }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN' || code === 'ENODATA')
    return { kind: 'unknown-host', sentence: `The name in AMI_HOST ("${printable(peer.host)}") is not known` }
  if (code.startsWith('ERR_TLS') || code.startsWith('ERR_SSL') || /CERT|SELF_SIGNED|EPROTO/.test(code))
    return {
      kind: 'tls',
      sentence: `TLS with ${at(peer)} failed (${printable(code)}): check AMI_TLS, AMI_PORT and the certificate (NODE_EXTRA_CA_CERTS names an own authority)`,
    }
  if (code === 'ECONNRESET' || code === 'EPIPE')
    return { kind: 'lost', sentence: `The connection to Asterisk at ${at(peer)} was reset` }
  return {
    kind: 'unreachable',
    sentence: `The host ${at(peer)} cannot be reached (${printable(code || error.message)}): check AMI_HOST and the network`,
  }
}

export const failures = {
  connectTimeout: (peer: Peer): AmiFailure => ({
    kind: 'unreachable',
    sentence: `The host ${at(peer)} does not answer: check AMI_HOST, AMI_PORT and firewalls`,
  }),
  noBanner: (peer: Peer): AmiFailure => ({
    kind: 'not-ami',
    sentence: `${at(peer)} does not greet as Asterisk Manager does: check AMI_PORT${peer.isTls ? '' : ', and AMI_TLS if this port expects TLS'}`,
  }),
  wrongBanner: (peer: Peer, banner: string): AmiFailure => ({
    kind: 'not-ami',
    sentence: `${at(peer)} is not an Asterisk Manager port, it says "${printable(banner)}": check AMI_PORT`,
  }),
  closedAtOnce: (peer: Peer): AmiFailure => ({
    kind: 'rejected',
    sentence: `${at(peer)} closes the connection at once: too many logins are waiting (authlimit in manager.conf), or something in front of AMI_HOST refuses this machine`,
  }),
  login: (peer: Peer, message: string): AmiFailure => ({
    kind: 'login',
    sentence: `Asterisk at ${at(peer)} refuses the login ("${printable(message)}"): check AMI_USERNAME ("${printable(peer.username)}") and AMI_SECRET, and that permit/deny/acl of this user in manager.conf allow this machine`,
  }),
  loginTimeout: (peer: Peer): AmiFailure => ({
    kind: 'lost',
    sentence: `Asterisk at ${at(peer)} does not answer the login`,
  }),
  silent: (peer: Peer): AmiFailure => ({
    kind: 'lost',
    sentence: `Asterisk at ${at(peer)} does not answer a Ping; connecting anew`,
  }),
  closed: (peer: Peer): AmiFailure => ({
    kind: 'lost',
    sentence: `Asterisk at ${at(peer)} closed the connection`,
  }),
}

/** Pauses between tries: a wrong secret must not look like an attack, a restarting Asterisk should be found soon. */
export function retryMillis(kind: AmiFailureKind, attempt: number, random = Math.random): number {
  const slow = kind === 'login' || kind === 'rejected' || kind === 'not-ami'
  const [first, longest] = slow ? [5_000, 60_000] : [250, 5_000]
  const pause = Math.min(first * 2 ** Math.min(attempt, 10), longest)
  return Math.round(pause * (0.75 + random() * 0.25))
}
