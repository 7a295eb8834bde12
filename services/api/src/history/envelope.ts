import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { Naming } from '../ingest/message-row.ts'
import type { BinaryWriter } from './binary-writer.ts'
import { RowBinaryReader } from './row-binary-reader.ts'

/**
 * All that few messages differ in, in one column: who saw it, how it travelled, between whom, who these were. A question reads this
 * column in place of the twelve that filters ask, each of which costs the engine as much to plan and to open as thousands of rows.
 * Ports are not in it: those of TCP and of scanners are many. `''` in rows of versions before (docs/decisions/envelope-column.md).
 */
export interface Envelope {
  readonly source: SipRecord['source']
  readonly node: string
  readonly transport: SipRecord['transport']
  readonly direction: SipRecord['direction']
  readonly srcAddress: string
  readonly srcName: string
  readonly dstAddress: string
  readonly dstName: string
  readonly trunk: string
  readonly precisionMicros: number
  readonly copies: number
  readonly notes: string[]
}

/** In the order of `readEnvelope`: values as RowBinary has them in a row. */
export function writeEnvelope(to: BinaryWriter, record: SipRecord, naming: Naming): void {
  const begin = to.begin()
  to.text(record.source)
  to.text(record.node)
  to.text(record.transport)
  to.text(naming.direction)
  to.text(record.src.address)
  to.text(naming.srcName)
  to.text(record.dst.address)
  to.text(naming.dstName)
  to.text(naming.trunk)
  to.length(record.precisionMicros)
  to.length(record.copies)
  to.length(record.notes.length)
  for (const note of record.notes) to.text(note)
  to.end(begin)
}

/** What it is made of, as filters ask it: for rows without one. */
export const envelopeColumns =
  'source, node, transport, direction, srcAddress, srcName, dstAddress, dstName, trunk, precisionMicros, copies, notes'

/** Of the columns `envelopeColumns`. */
export function readEnvelopeColumns(rows: RowBinaryReader): Envelope {
  return {
    ...readWords(rows),
    precisionMicros: rows.integer64(),
    copies: rows.uint32(),
    notes: readNotes(rows),
  }
}

const maxKnown = 4_096
/** Of the whole process: the envelopes of one answer are those of the next. */
const known = new Map<string, Envelope>()

/** Undefined for `''`. @throws RangeError for what `writeEnvelope` did not write */
export function readEnvelope(bytes: Buffer<ArrayBuffer>): Envelope | undefined {
  if (bytes.length === 0) return undefined
  const key = bytes.toString('latin1')
  const before = known.get(key)
  if (before) return before
  const rows = new RowBinaryReader(bytes)
  const envelope: Envelope = {
    ...readWords(rows),
    precisionMicros: rows.length(),
    copies: rows.length(),
    notes: readNotes(rows),
  }
  if (known.size >= maxKnown) known.clear()
  known.set(key, envelope)
  return envelope
}

/** Words that were checked by their schema before they were stored. */
function readWords(rows: RowBinaryReader): Omit<Envelope, 'precisionMicros' | 'copies' | 'notes'> {
  return {
    source: rows.word() as SipRecord['source'],
    node: rows.word(),
    transport: rows.word() as SipRecord['transport'],
    direction: rows.word() as SipRecord['direction'],
    srcAddress: rows.word(),
    srcName: rows.word(),
    dstAddress: rows.word(),
    dstName: rows.word(),
    trunk: rows.word(),
  }
}

function readNotes(rows: RowBinaryReader): string[] {
  return Array.from({ length: rows.length() }, () => rows.word())
}
