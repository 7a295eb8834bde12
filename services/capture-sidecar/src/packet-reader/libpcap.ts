import type { Address, Koffi } from './koffi.ts'

/** `pcap_t *` and `pcap_dumper_t *`. */
export type Handle = Address
export type Dumper = Address

/** PCAP_ERRBUF_SIZE. */
export const errorBytes = 256
/** sizeof (struct bpf_program) with room for the padding of its pointer. */
export const programBytes = 16

export const statusPermissionDenied = -8
export const statusPromiscuousDenied = -11
export const precisionNanos = 1

/**
 * libpcap as far as it is used here; each function as its man page says. A negative answer is a fault, whose words `geterr`
 * has; a warning is positive.
 */
export interface Libpcap {
  /** `libpcap version 1.10.3 (with TPACKET_V3)`. */
  lib_version(): string
  /** Null: the words are in `error`. */
  create(device: string, error: Uint8Array): Handle | null
  set_snaplen(handle: Handle, bytes: number): number
  set_promisc(handle: Handle, on: number): number
  /** How long the kernel may gather packets before it hands over a block of them. */
  set_timeout(handle: Handle, millis: number): number
  /** Of the kernel's ring. */
  set_buffer_size(handle: Handle, bytes: number): number
  set_tstamp_precision(handle: Handle, precision: number): number
  get_tstamp_precision(handle: Handle): number
  activate(handle: Handle): number
  geterr(handle: Handle): string
  statustostr(status: number): string
  /** -1 for a name that it does not know. */
  datalink_name_to_val(name: string): number
  set_datalink(handle: Handle, linkType: number): number
  compile(handle: Handle, program: Uint8Array, filter: string, optimise: number, netmask: number): number
  setfilter(handle: Handle, program: Uint8Array): number
  freecode(program: Uint8Array): void
  setnonblock(handle: Handle, on: number, error: Uint8Array): number
  /** For poll(2); it must be dispatched each second all the same, or an interface that disappears stays unnoticed. */
  get_selectable_fd(handle: Handle): number
  /** Hands at most `count` packets to `callback`; how many. Without blocking: 0 where none waits. */
  dispatch(handle: Handle, count: number, callback: Address, user: Dumper): number
  /** `ps_recv`, `ps_drop` (no room in the ring), `ps_ifdrop` (by the network card), each since the capture began. */
  stats(handle: Handle, counts: Uint32Array): number
  /** Writes a file header of this handle's link type; null: `geterr`. */
  dump_fopen(handle: Handle, file: Address): Dumper | null
  close(handle: Handle): void
  /** The C function `pcap_dump`, which writes a packet with its header: as the callback of `dispatch` no JavaScript runs a packet. */
  readonly dump: Address
}

/** Its name in Debian and what comes from it, and that of all others. */
const files = ['libpcap.so.0.8', 'libpcap.so.1']

/** @throws the linker's words if there is no libpcap. */
export function loadLibpcap(koffi: Koffi): Libpcap {
  const library = load(koffi)
  return {
    lib_version: library.func('const char *pcap_lib_version()'),
    create: library.func('void *pcap_create(const char *device, uint8_t *error)'),
    set_snaplen: library.func('int pcap_set_snaplen(void *handle, int bytes)'),
    set_promisc: library.func('int pcap_set_promisc(void *handle, int on)'),
    set_timeout: library.func('int pcap_set_timeout(void *handle, int millis)'),
    set_buffer_size: library.func('int pcap_set_buffer_size(void *handle, int bytes)'),
    set_tstamp_precision: library.func('int pcap_set_tstamp_precision(void *handle, int precision)'),
    get_tstamp_precision: library.func('int pcap_get_tstamp_precision(void *handle)'),
    activate: library.func('int pcap_activate(void *handle)'),
    geterr: library.func('const char *pcap_geterr(void *handle)'),
    statustostr: library.func('const char *pcap_statustostr(int status)'),
    datalink_name_to_val: library.func('int pcap_datalink_name_to_val(const char *name)'),
    set_datalink: library.func('int pcap_set_datalink(void *handle, int linkType)'),
    compile: library.func(
      'int pcap_compile(void *handle, void *program, const char *filter, int optimise, uint32_t netmask)',
    ),
    setfilter: library.func('int pcap_setfilter(void *handle, void *program)'),
    freecode: library.func('void pcap_freecode(void *program)'),
    setnonblock: library.func('int pcap_setnonblock(void *handle, int on, uint8_t *error)'),
    get_selectable_fd: library.func('int pcap_get_selectable_fd(void *handle)'),
    dispatch: library.func('int pcap_dispatch(void *handle, int count, void *callback, void *user)'),
    stats: library.func('int pcap_stats(void *handle, void *counts)'),
    dump_fopen: library.func('void *pcap_dump_fopen(void *handle, void *file)'),
    close: library.func('void pcap_close(void *handle)'),
    dump: library.symbol('pcap_dump') as Address,
  }
}

function load(koffi: Koffi): ReturnType<Koffi['load']> {
  const problems: string[] = []
  for (const file of files) {
    try {
      return koffi.load(file)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(problems[0] ?? 'no libpcap')
}
