/** One frame of a capture. `bytes` is a view of what was read: copy it to keep it beyond its neighbours. */
export interface CapturedPacket {
  /** LINKTYPE_ value. */
  readonly linkType: number
  /** Epoch microseconds; the nanoseconds below are in `nanos`, 0..999. */
  readonly atMicros: number
  readonly nanos: number
  readonly bytes: Uint8Array
  /** Length on the wire; more than `bytes` where the capture cut the frame. */
  readonly originalLength: number
  /** `''` where the file names none. */
  readonly interfaceName: string
}

/** 2200-01-01: a stamp beyond it is a broken one and is clamped, so that the packet is kept. */
export const maxPacketMicros = 7_258_118_400_000_000

/** What the program that captured says of itself and, in pcapng, of its run so far. */
export interface CaptureReport {
  /** Its name and version; `''` where the file names none. */
  readonly application: string
  /** Packets that were lost before it could fetch them. */
  readonly drops: number
  /** When it last counted them, by its own clock; null if it has not. */
  readonly atMicros: number | null
}

export const noReport: CaptureReport = { application: '', drops: 0, atMicros: null }

export interface CaptureReader {
  /** Takes the next bytes of the file, gives the packets that are complete. Never throws; after a fault it gives none. */
  push(chunk: Uint8Array): CapturedPacket[]
  /** Says that no more bytes come: an incomplete packet at the end becomes `problem`. */
  end(): void
  /** Why reading stopped; what was read before stays good. */
  readonly problem: string | null
  /** Bytes of the file that were read in full; where there is a problem, it begins there. */
  readonly offset: number
  /** By what was read so far. */
  readonly report: CaptureReport
}
