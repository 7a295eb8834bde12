import { slotSeconds } from '@sip-capture/contract/bus/record-id.ts'
import { callColumns } from '../calls/call-columns.ts'
import { registerColumns } from '../registrations/register-columns.ts'
import type { Store } from './store.ts'
import type { ColumnAddition, ColumnCodec, TableDefinition, Tables } from './tables.ts'

/** What a record is besides its text. */
const recordColumns = [
  ['at', `DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1))`],
  ['nanos', 'UInt16 CODEC(T64, ZSTD(1))'],
  ['id', 'UUID CODEC(ZSTD(1))'],
  ['callId', 'String CODEC(ZSTD(3))'],
  ['precisionMicros', 'UInt64 CODEC(T64, ZSTD(1))'],
  ['source', 'LowCardinality(String)'],
  ['node', 'LowCardinality(String)'],
  ['transport', 'LowCardinality(String)'],
  ['direction', 'LowCardinality(String)'],
  ['srcAddress', 'LowCardinality(String)'],
  ['srcPort', 'UInt16 CODEC(ZSTD(1))'],
  ['srcName', 'LowCardinality(String)'],
  ['dstAddress', 'LowCardinality(String)'],
  ['dstPort', 'UInt16 CODEC(ZSTD(1))'],
  ['dstName', 'LowCardinality(String)'],
  ['trunk', 'LowCardinality(String)'],
  ['channel', 'String CODEC(ZSTD(1))'],
  ['copies', 'UInt32 CODEC(T64, ZSTD(1))'],
  ['capture', 'LowCardinality(String)'],
] as const

/** What filters ask; rows that are shown are made of the payload. `…Fold`: lower case as JavaScript makes it, so that live and history
 *  agree. Some are empty where others imply them: `implied-columns.ts`. */
const rowColumns = [
  ['kind', 'LowCardinality(String)'],
  ['method', 'LowCardinality(String)'],
  ['status', 'UInt16 CODEC(ZSTD(1))'],
  ['reason', 'LowCardinality(String)'],
  ['requestUri', 'String CODEC(ZSTD(1))'],
  ['fromDisplayName', 'String CODEC(ZSTD(1))'],
  ['fromUri', 'String CODEC(ZSTD(1))'],
  ['fromUser', 'String CODEC(ZSTD(1))'],
  ['fromHost', 'LowCardinality(String)'],
  ['fromTag', 'String CODEC(ZSTD(1))'],
  ['fromFold', 'String CODEC(ZSTD(1))'],
  ['toDisplayName', 'String CODEC(ZSTD(1))'],
  ['toUri', 'String CODEC(ZSTD(1))'],
  ['toUser', 'String CODEC(ZSTD(1))'],
  ['toHost', 'LowCardinality(String)'],
  ['toTag', 'String CODEC(ZSTD(1))'],
  ['toFold', 'String CODEC(ZSTD(1))'],
  ['numbers', 'Array(String) CODEC(ZSTD(1))'],
  ['cseq', 'Int64 CODEC(T64, ZSTD(1))'],
  ['branch', 'String CODEC(ZSTD(1))'],
  ['userAgent', 'LowCardinality(String)'],
  ['userAgentFold', 'LowCardinality(String)'],
  ['hasSdp', 'Bool'],
  ['sizeBytes', 'UInt32 CODEC(T64, ZSTD(1))'],
  // `''` where it follows from the rest of the row.
  ['sightingKey', 'String CODEC(ZSTD(1))'],
  ['problems', 'Array(LowCardinality(String))'],
] as const

/** `payload`: the bytes as they came; `payloadText`: where they are not UTF-8, as text; `frames`: `frames-column.ts`. */
const payloadColumns = [
  ['notes', 'Array(LowCardinality(String))'],
  ['payload', 'String CODEC(ZSTD(3))'],
  ['payloadText', 'String CODEC(ZSTD(1))'],
  ['frames', 'String CODEC(ZSTD(3))'],
] as const

const messageColumns = [...recordColumns, ...rowColumns, ...payloadColumns] as const

/** In which slots a Call-ID is. */
const callSlotColumns = [
  ['callId', 'String CODEC(ZSTD(3))'],
  ['capture', 'LowCardinality(String)'],
  ['slot', 'UInt32 CODEC(Delta, ZSTD(1))'],
  ['day', 'UInt32 CODEC(Delta, ZSTD(1))'],
] as const

/** Which grams messages of a time have (`text-index/`): `slots` slots from `slot` on; `word`: `toWordKey`. */
const textIndexColumns = [
  ['day', 'UInt32 CODEC(Delta, ZSTD(1))'],
  ['word', 'UInt32 CODEC(Delta, ZSTD(1))'],
  ['slots', 'UInt16 CODEC(Delta, ZSTD(1))'],
  ['slot', 'UInt32 CODEC(Delta, ZSTD(1))'],
  ['grams', 'SimpleAggregateFunction(groupBitOr, UInt256) CODEC(ZSTD(1))'],
] as const

const legColumns = [
  ['at', `DateTime64(6, 'UTC')`],
  ['kind', 'LowCardinality(String)'],
  ['node', 'LowCardinality(String)'],
  ['channel', 'String'],
  ['uniqueid', 'String'],
  ['linkedid', 'String'],
  ['callId', 'String'],
  ['link', 'LowCardinality(String)'],
  ['cause', 'UInt16'],
  ['causeText', 'LowCardinality(String)'],
  ['techCause', 'LowCardinality(String)'],
  ['reason', 'LowCardinality(String)'],
] as const

/** Calls that became one; each pair in both directions. */
const callJoinColumns = [
  ['at', `DateTime64(6, 'UTC')`],
  ['node', 'LowCardinality(String)'],
  ['linkedid', 'String'],
  ['other', 'String'],
  ['joinedBy', 'LowCardinality(String)'],
  ['through', 'String'],
] as const

/** What Asterisk told of calls, contacts, registrations and logins; `subject`: the AOR, endpoint or account. */
const callEventColumns = [
  ['at', `DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD(1))`],
  ['kind', 'LowCardinality(String)'],
  ['node', 'LowCardinality(String)'],
  ['linkedid', 'String CODEC(ZSTD(1))'],
  ['subject', 'String CODEC(ZSTD(1))'],
  ['uniqueid', 'String CODEC(ZSTD(1))'],
  ['id', 'UUID'],
  ['detail', 'String CODEC(ZSTD(3))'],
] as const

type Columns = readonly (readonly [string, string])[]
const names = <T extends Columns>(columns: T) => columns.map(([name]) => name) as T[number][0][]

export const messageColumnNames = names(messageColumns)
/** What is read in place of many columns (`envelope.ts`). */
const envelopeType = 'LowCardinality(String)'
/** Versions before filled them; nobody asks. */
const unwritten = ['fromHost', 'fromTag', 'toHost'] as const
type Unwritten = (typeof unwritten)[number]
const isWritten = <C extends readonly [string, string]>(
  column: C,
): column is Exclude<C, readonly [Unwritten, string]> => !unwritten.some((name) => name === column[0])
/** What is written of a message: of those of versions before nobody knows whether they are in the index. */
export const writtenColumns = [
  ...messageColumns.filter(isWritten),
  ['inTextIndex', 'Bool'],
  ['envelope', envelopeType],
] as const
/** What a pinned call keeps of its messages. */
export const pinnedColumnNames = [...messageColumnNames, 'envelope'] as const
export const writtenColumnNames = names(writtenColumns)
export const callSlotColumnNames = names(callSlotColumns)
export const textIndexColumnNames = names(textIndexColumns)
export const legColumnNames = names(legColumns)
export const callJoinColumnNames = names(callJoinColumns)
export const callEventColumnNames = names(callEventColumns)

const ddl = (columns: Columns) => columns.map(([name, type]) => `${name} ${type}`).join(', ')

/** → the slot of a moment in epoch microseconds, as the engine works it out. */
export const slotSql = (micros: string): string => `toUInt32(intDiv(${micros}, ${slotSeconds * 1_000_000}))`

const slotColumn = `slot UInt32 MATERIALIZED ${slotSql('toUnixTimestamp64Micro(at)')} CODEC(Delta, ZSTD(1))`
const storedAt = 'storedAt DateTime DEFAULT now() CODEC(Delta, ZSTD(1))'
// A part goes as a whole once its youngest row is too old: no rewriting, space is free at once.
const dropWholeParts = 'ttl_only_drop_parts = 1, materialize_ttl_recalculate_only = 1'

/** What Call-IDs are asked for together is on one shard: messages, where they are, and the legs that Asterisk told of. */
const byCallId = 'cityHash64(callId)'
const byEvent = 'cityHash64(linkedid, subject)'

type MigrationStep = TableDefinition | ColumnAddition | ColumnCodec

/**
 * Forward only: append, never edit; what is there keeps its meaning, for processes of the version before still write it. Each may
 * be half done when the process dies, so each must bear being run again, and by two at once.
 * ReplacingMergeTree with the id at the end of the key: a row that slipped in twice is one row after a merge, and
 * queries drop it before (docs/decisions/history-idempotent-inserts.md).
 * A `messages` of the first versions has an index on ids besides, which nothing but ids of that time needs.
 */
export const migrations: readonly (readonly MigrationStep[])[] = [
  [
    // In order of time by slots, a slot's calls one behind the other: an export reads what it writes and no more, a call is
    // together, and what a dialog repeats (Call-ID, tags, parties, addresses) lies side by side and costs next to nothing.
    // `callSlots` tells where a call is (docs/decisions/history-bytes-in-slots.md).
    {
      name: 'messages',
      columns: `
      ${slotColumn},
      ${ddl(messageColumns)}, ${storedAt},
      INDEX atRange at TYPE minmax GRANULARITY 1,
      INDEX storedAtRange storedAt TYPE minmax GRANULARITY 16`,
      engine: `ReplacingMergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (slot, callId, at, id)
      SETTINGS index_granularity = 256, ${dropWholeParts}`,
      shardBy: byCallId,
    },
    {
      name: 'callSlots',
      columns: `${ddl(callSlotColumns)}, ${storedAt}`,
      engine: `ReplacingMergeTree PARTITION BY day ORDER BY (callId, capture, slot)
      SETTINGS index_granularity = 256, ${dropWholeParts}`,
      shardBy: byCallId,
    },
    {
      name: 'legs',
      columns: `${ddl(legColumns)}, ${storedAt},
      INDEX callIdBloom callId TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX linkedidBloom linkedid TYPE bloom_filter(0.01) GRANULARITY 1`,
      engine: `ReplacingMergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (node, uniqueid, kind, callId, at)
      SETTINGS index_granularity = 256, ${dropWholeParts}`,
      shardBy: byCallId,
    },
    {
      name: 'callJoins',
      columns: `${ddl(callJoinColumns)}, ${storedAt}`,
      engine: `ReplacingMergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (node, linkedid, other)
      SETTINGS index_granularity = 256, ${dropWholeParts}`,
      shardBy: 'cityHash64(linkedid)',
    },
    {
      name: 'callEvents',
      columns: `${ddl(callEventColumns)}, ${storedAt}`,
      engine: `ReplacingMergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (node, linkedid, subject, at, id)
      SETTINGS index_granularity = 512, ${dropWholeParts}`,
      shardBy: byEvent,
    },
    {
      name: 'calls',
      columns: `${ddl(callColumns)}, ${storedAt},
      INDEX callIdsBloom callIds TYPE bloom_filter(0.01) GRANULARITY 1,
      INDEX idBloom id TYPE bloom_filter(0.01) GRANULARITY 1`,
      engine: `ReplacingMergeTree(version, isDeleted) PARTITION BY toYYYYMMDD(startedAt) ORDER BY (startedAt, id)
      SETTINGS index_granularity = 512, ${dropWholeParts}`,
      shardBy: 'cityHash64(id)',
    },
  ],
  [
    {
      name: 'registers',
      columns: `${ddl(registerColumns)}, ${storedAt}`,
      engine: `ReplacingMergeTree PARTITION BY toYYYYMMDD(at) ORDER BY (aor, node, at, id)
      SETTINGS index_granularity = 512, ${dropWholeParts}`,
      shardBy: 'cityHash64(aor)',
    },
  ],
  // Calls that are kept: copies of their rows in tables that retention does not know (docs/decisions/pinned-calls.md).
  [
    {
      name: 'pins',
      columns: `id UUID, version UInt64, isDeleted UInt8, pinnedAt DateTime64(6, 'UTC'),
      pinnedBy String, capture LowCardinality(String), names Array(String), call String CODEC(ZSTD(3)), messages UInt64`,
      engine: 'ReplacingMergeTree(version, isDeleted) ORDER BY id SETTINGS index_granularity = 64',
      shardBy: 'cityHash64(id)',
    },
    {
      name: 'pinnedMessages',
      columns: `pinId UUID,
      ${slotColumn},
      ${ddl(messageColumns)},
      INDEX callIdBloom callId TYPE bloom_filter(0.01) GRANULARITY 1`,
      engine: 'ReplacingMergeTree ORDER BY (pinId, callId, at, id) SETTINGS index_granularity = 256',
      shardBy: byCallId,
    },
    {
      name: 'pinnedCalls',
      columns: `pinId UUID, ${ddl(callColumns)}`,
      engine: 'ReplacingMergeTree(version) ORDER BY pinId SETTINGS index_granularity = 256',
      shardBy: 'cityHash64(pinId)',
    },
    {
      name: 'pinnedCallEvents',
      columns: `pinId UUID, ${ddl(callEventColumns)}`,
      engine: 'ReplacingMergeTree ORDER BY (pinId, at, id) SETTINGS index_granularity = 512',
      shardBy: byEvent,
    },
  ],
  // Where a text may be, without reading all of them (docs/decisions/text-index.md).
  [
    {
      name: 'textIndex',
      columns: `${ddl(textIndexColumns)},
      storedAt SimpleAggregateFunction(max, DateTime) DEFAULT now() CODEC(Delta, ZSTD(1))`,
      engine: `AggregatingMergeTree PARTITION BY day ORDER BY (word, slots, slot)
      SETTINGS index_granularity = 256, ${dropWholeParts}`,
      shardBy: 'cityHash64(slot)',
    },
    {
      table: 'messages',
      column: 'inTextIndex',
      type: 'Bool CODEC(ZSTD(1))',
      isNew: true,
      index: 'outsideTextIndex inTextIndex TYPE minmax GRANULARITY 64',
    },
  ],
  // Of blocks of this size ZSTD(1) makes less than ZSTD(3) does where messages are alike, as much where they are not, and is faster.
  [
    { table: 'messages', column: 'payload', type: 'String CODEC(ZSTD(1))' },
    { table: 'messages', column: 'callId', type: 'String CODEC(ZSTD(1))' },
  ],
  [
    { table: 'messages', column: 'envelope', type: envelopeType, isNew: true },
    { table: 'pinnedMessages', column: 'envelope', type: envelopeType, isNew: true },
  ],
]

const migrationsTable: TableDefinition = {
  name: 'schemaMigrations',
  columns: 'version UInt32, appliedAt DateTime DEFAULT now()',
  engine: 'MergeTree ORDER BY version',
  shardBy: 'version',
}

/** Brings the tables to this version. @throws Error when they were made by a newer one. */
export async function migrate(store: Store, known: typeof migrations = migrations): Promise<void> {
  await make(store, migrationsTable)
  const [state] = await store.query<{ version: number }>(
    'SELECT max(version) AS version FROM schemaMigrations',
  )
  const version = state?.version ?? 0
  if (version > known.length)
    throw new Error(
      `the history was made by a newer version of this program (schema ${version}, known ${known.length})`,
    )
  const isWhole = await areTablesEverywhere(store)
  for (const [index, steps] of known.entries()) {
    if (isWhole && index < version) continue
    for (const step of steps) await make(store, step)
    if (index >= version) await store.insert('schemaMigrations', ['version'], Buffer.from(`[${index + 1}]\n`))
  }
}

/** What brings a step about where it is missing. */
export const toStatements = (tables: Tables, step: MigrationStep): readonly string[] =>
  'name' in step ? tables.create(step) : 'isNew' in step ? tables.add(step) : [tables.compress(step)]

async function make(store: Store, step: MigrationStep): Promise<void> {
  for (const statement of toStatements(store.tables, step)) await store.define(statement)
}

/** False where a server has joined the cluster since. */
async function areTablesEverywhere(store: Store): Promise<boolean> {
  const { tables } = store
  const [servers] = await store.query<{ all: number; prepared: number }>(
    `SELECT (SELECT count() FROM ${tables.system('one')}) AS all,
       (SELECT count() FROM ${tables.system('tables')}
        WHERE database = currentDatabase() AND name = {name:String}) AS prepared`,
    { name: tables.holderOf('messages') },
  )
  return servers !== undefined && servers.prepared === servers.all
}
