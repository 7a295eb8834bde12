import type { Koffi } from './koffi.ts'
import { loadLibpcap, type Libpcap } from './libpcap.ts'

/** What is not JavaScript: the module that calls it, and libpcap. */
export interface Native {
  readonly koffi: Koffi
  readonly pcap: Libpcap
}

/** Rejects where one of them is not there for this machine. */
export async function loadNative(): Promise<Native> {
  const { default: koffi } = await import('koffi')
  return { koffi, pcap: loadLibpcap(koffi) }
}
