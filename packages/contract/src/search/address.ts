export interface AddressWord {
  readonly address: string
  /** 0: any. */
  readonly port: number
}

/** `192.0.2.1`, `192.0.2.1:5060`, `2001:db8::1`, `[2001:db8::1]:5060`; IPv6 in any spelling. */
export function parseAddress(word: string): AddressWord {
  const text = word.trim()
  const bracketed = /^\[([^\]]*)\](?::(\d{1,5}))?$/.exec(text)
  if (bracketed) return { address: toCanonicalIpv6(bracketed[1] ?? ''), port: Number(bracketed[2] ?? 0) }
  const colons = text.split(':').length - 1
  if (colons > 1) return { address: toCanonicalIpv6(text), port: 0 }
  const [address = '', port = ''] = text.split(':')
  return /^\d{1,5}$/.test(port) ? { address, port: Number(port) } : { address: text, port: 0 }
}

function toCanonicalIpv6(text: string): string {
  const url = URL.canParse(`http://[${text}]`) ? new URL(`http://[${text}]`) : undefined
  return url ? url.hostname.slice(1, -1) : text
}
