import { brotliCompressSync, brotliDecompressSync, constants } from 'node:zlib'
import { Packr } from 'msgpackr'
import { z } from 'zod'
import { placePayload } from './bus/payload-place.ts'
import { packRecords } from './bus/record-batch.ts'
import { unpackRecords } from './bus/record-batch-reader.ts'
import { sipRecord, type SipRecord } from './bus/sip-record.ts'

/**
 * A stream entry carries one batch: field `v` (how it is encoded), `n` (items), `b` (MessagePack array of items; of version 2 under
 * Brotli). Measured: 64 messages an entry move thirteen times as many messages a second as one an entry, and take a seventh of the
 * memory under Brotli, so that Redis keeps them seven times as long for a history that is away.
 */
export const batchVersion = 2
const plainVersion = 1
const itemVersion = 1
export const maxBatchItems = 1024
export const maxBatchBytes = 16 * 1024 * 1024

// `useRecords: false` writes plain MessagePack maps: any MessagePack reader can follow.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, int64AsType: 'number' })

/** Field names and values for XADD. */
export type BatchFields = [string, string, string, string, string, Buffer]

export function encodeBatch(items: readonly unknown[]): BatchFields {
  return toFields(items.length, packr.pack(items))
}

/** The same of records, with the bytes of each message once where `encodeBatch` has them twice. */
export function encodeRecords(records: readonly SipRecord[]): BatchFields {
  return toFields(records.length, packRecords(records))
}

/** Below, a few messages have little in common, and each costs more than it saves. */
const minCompressedBytes = 4096
/** The fastest quality that finds what messages have in common, over a window of 256 KiB. */
const brotli = { [constants.BROTLI_PARAM_QUALITY]: 1, [constants.BROTLI_PARAM_LGWIN]: 18 }

function toFields(count: number, packed: Buffer): BatchFields {
  const isPlain = packed.length < minCompressedBytes
  return [
    'v',
    String(isPlain ? plainVersion : batchVersion),
    'n',
    String(count),
    'b',
    isPlain ? packed : brotliCompressSync(packed, { params: brotli }),
  ]
}

export interface DecodedBatch<T> {
  readonly items: T[]
  /** What could not be read, for the dead-letter stream: the offending bytes and a sentence. */
  readonly rejected: { readonly bytes: Buffer; readonly problem: string }[]
  /** Items or batches of a newer version, and items of a kind that is not known here: skipped and counted, never a crash. */
  readonly skippedNewer: number
}

/** Of a stream entry: field name and value in turn, as `XREAD` gives them through a buffer reply; null of a trimmed one. */
type EntryFields = readonly (Buffer | string)[] | null

/** Reads one stream entry. Never throws. */
export function decodeBatch<T extends z.ZodType>(schema: T, fields: EntryFields): DecodedBatch<z.output<T>> {
  return decode(schema, fields, () => undefined)
}

/** `decodeBatch` of records, at a fraction of the time where `encodeRecords` wrote them. */
export function decodeRecords(fields: EntryFields): DecodedBatch<SipRecord> {
  return decode(sipRecord, fields, unpackRecords)
}

/** `unpackItems`: what the schema makes of these bytes, or undefined where it cannot tell. */
function decode<T extends z.ZodType>(
  schema: T,
  fields: EntryFields,
  unpackItems: (packed: Buffer<ArrayBuffer>) => z.output<T>[] | undefined,
): DecodedBatch<z.output<T>> {
  const result = {
    items: [] as z.output<T>[],
    rejected: [] as { bytes: Buffer; problem: string }[],
    skippedNewer: 0,
  }
  // A trimmed entry read from a pending list has nil fields.
  if (!fields) return result
  let version = ''
  let body: Buffer<ArrayBuffer> | undefined
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const name = String(fields[i])
    if (name === 'v') version = String(fields[i + 1])
    if (name === 'b') body = Buffer.from(fields[i + 1] as Buffer)
  }
  const reject = (bytes: Buffer, problem: string) => {
    result.rejected.push({ bytes: bytes.subarray(0, maxRejectedBytes), problem: problem.slice(0, 500) })
    return result
  }
  if (!body) return reject(Buffer.alloc(0), 'the entry has no field "b"')
  if (Number(version) > batchVersion) {
    result.skippedNewer = 1
    return result
  }
  if (version !== String(plainVersion) && version !== String(batchVersion))
    return reject(body, `unknown batch version "${version}"`)
  if (body.length > maxBatchBytes) return reject(body, `a batch of ${body.length} bytes`)
  let packed = body
  if (version === String(batchVersion)) {
    try {
      packed = brotliDecompressSync(body, { chunkSize: usualBatchBytes, maxOutputLength: maxBatchBytes })
    } catch (error) {
      return reject(body, `not Brotli, or more than ${maxBatchBytes} bytes: ${messageOf(error)}`)
    }
  }
  const unpacked = unpackItems(packed)
  if (unpacked !== undefined && unpacked.length <= maxBatchItems) return { ...result, items: unpacked }
  let items: unknown
  try {
    items = packr.unpack(packed)
  } catch (error) {
    return reject(packed, `not MessagePack: ${messageOf(error)}`)
  }
  if (!Array.isArray(items)) return reject(packed, 'the batch is not an array')
  if (items.length > maxBatchItems) return reject(packed, `a batch of ${items.length} items`)
  for (const item of items) {
    placePayload(item)
    const parsed = schema.safeParse(item)
    if (parsed.success) result.items.push(parsed.data)
    else if (isNewer(item) || isUnknownKind(item, parsed.error)) result.skippedNewer += 1
    else reject(safePack(item), z.prettifyError(parsed.error))
  }
  return result
}

const maxRejectedBytes = 4096
/** Of 64 messages and their frames, roughly: memory for what is unpacked comes in pieces of it. */
const usualBatchBytes = 64 * 1024

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : 'unreadable')

function isNewer(item: unknown): boolean {
  return (
    typeof item === 'object' &&
    item !== null &&
    'v' in item &&
    typeof item.v === 'number' &&
    item.v > itemVersion
  )
}

/** The item names a kind that a newer writer has and this reader has not. */
function isUnknownKind(item: unknown, error: z.ZodError): boolean {
  const [issue] = error.issues
  return (
    issue?.code === 'invalid_union' &&
    issue.discriminator === 'kind' &&
    issue.path.length === 1 &&
    typeof item === 'object' &&
    item !== null &&
    'kind' in item &&
    typeof item.kind === 'string'
  )
}

function safePack(item: unknown): Buffer {
  try {
    return packr.pack(item)
  } catch {
    return Buffer.alloc(0)
  }
}
