/** How a message looks at a glance. Each look has its own sign beside its colour, for eyes that see no colour. */
export type Look = 'request' | 'progress' | 'success' | 'redirect' | 'challenge' | 'failure' | 'unparsed'

export function lookOf(message: { kind: string; status: number | null }): Look {
  if (message.kind === 'unparsed') return 'unparsed'
  const status = message.status
  if (status === null) return 'request'
  if (status < 200) return 'progress'
  if (status < 300) return 'success'
  if (status < 400) return 'redirect'
  if (status === 401 || status === 407) return 'challenge'
  return 'failure'
}

export const lookSign: Readonly<Record<Look, string>> = {
  request: '▸',
  progress: '…',
  success: '✓',
  redirect: '↷',
  challenge: '?',
  failure: '✕',
  unparsed: '#',
}

export const lookName: Readonly<Record<Look, string>> = {
  request: 'request',
  progress: 'in progress',
  success: 'success',
  redirect: 'redirection',
  challenge: 'asks for credentials',
  failure: 'failure',
  unparsed: 'not SIP',
}
