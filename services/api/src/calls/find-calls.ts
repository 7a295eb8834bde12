import type { Store } from '../history/store.ts'
import type { FoundCall, Leg } from '../history/leg-store.ts'

const maxSteps = 16
const maxLinkedids = 20_000
const maxLegsACall = 500

interface LegRow {
  readonly atMicros: number
  readonly node: string
  readonly linkedid: string
  readonly callId: string
  readonly channel: string
  readonly uniqueid: string
  readonly link: 'getvar' | 'hep' | 'guess'
  readonly reason: string
}

/**
 * `findCall` for many Call-IDs of live traffic at a cost of a few statements: the calls they belong to, each once. A Call-ID
 * that no leg knows is a call of its own. @throws StoreError
 */
export async function findCalls(store: Store, callIds: readonly string[]): Promise<FoundCall[]> {
  const anchors = await store.query<{ callId: string; node: string; linkedid: string }>(
    `SELECT callId, node, linkedid FROM legs WHERE kind = 'leg-linked' AND callId IN {callIds:Array(String)}
     ORDER BY link = 'guess', at DESC LIMIT 1 BY callId`,
    { callIds },
  )
  const groups = new Groups()
  for (const { node, linkedid } of anchors) groups.add(key(node, linkedid))
  await followJoins(store, groups)
  const members = new Map<string, LegRow[]>()
  for (const row of await readLegRows(store, groups)) {
    const root = groups.root(key(row.node, row.linkedid))
    const rows = members.get(root)
    if (rows) rows.push(row)
    else members.set(root, [row])
  }
  const sureElsewhere = await readSureLinks(store, members)
  const calls: FoundCall[] = []
  const found = new Set<string>()
  const roots = new Set(anchors.map(({ node, linkedid }) => groups.root(key(node, linkedid))))
  const all = groups.all()
  for (const root of roots) {
    const rows = members.get(root) ?? []
    const legs = pickLegs(rows, (row) => isElsewhere(row, root, groups, sureElsewhere))
    const own = [...new Set(legs.map((leg) => leg.callId))]
    for (const callId of own) found.add(callId)
    const linkedids = (all.get(root) ?? []).map((member) => member.slice(member.indexOf('\0') + 1))
    if (own.length > 0) calls.push({ callIds: own, legs, node: rows[0]?.node ?? '', linkedids })
  }
  for (const callId of new Set(callIds))
    if (!found.has(callId))
      calls.push({
        callIds: [callId],
        legs: [{ callId, channel: null, uniqueid: null, linkedid: null, link: 'asked' }],
        node: '',
        linkedids: [],
      })
  return calls
}

const key = (node: string, linkedid: string): string => `${node}\0${linkedid}`

/** Linkedids of one PBX that are one call. */
class Groups {
  readonly #parent = new Map<string, string>()

  get size(): number {
    return this.#parent.size
  }

  /** True when it is new. */
  add(member: string): boolean {
    if (this.#parent.has(member)) return false
    this.#parent.set(member, member)
    return true
  }

  root(member: string): string {
    let at = member
    for (let up = this.#parent.get(at); up !== undefined && up !== at; up = this.#parent.get(at)) at = up
    this.#parent.set(member, at)
    return at
  }

  join(one: string, other: string): void {
    this.#parent.set(this.root(one), this.root(other))
  }

  /** By root. */
  all(): Map<string, string[]> {
    const groups = new Map<string, string[]>()
    for (const member of this.keys()) {
      const root = this.root(member)
      const members = groups.get(root)
      if (members) members.push(member)
      else groups.set(root, [member])
    }
    return groups
  }

  keys(): string[] {
    return [...this.#parent.keys()]
  }

  has(member: string): boolean {
    return this.#parent.has(member)
  }
}

function byNode(keys: readonly string[]): Map<string, string[]> {
  const nodes = new Map<string, string[]>()
  for (const member of keys) {
    const cut = member.indexOf('\0')
    const node = member.slice(0, cut)
    const linkedids = nodes.get(node)
    if (linkedids) linkedids.push(member.slice(cut + 1))
    else nodes.set(node, [member.slice(cut + 1)])
  }
  return nodes
}

async function followJoins(store: Store, groups: Groups): Promise<void> {
  let latest = groups.keys()
  for (let step = 0; latest.length > 0 && step < maxSteps && groups.size < maxLinkedids; step++) {
    const next: string[] = []
    for (const [node, linkedids] of byNode(latest)) {
      const rows = await store.query<{ linkedid: string; other: string }>(
        `SELECT DISTINCT linkedid, other FROM callJoins
         WHERE node = {node:String} AND linkedid IN {linkedids:Array(String)} LIMIT ${maxLinkedids}`,
        { node, linkedids },
      )
      for (const { linkedid, other } of rows) {
        if (groups.add(key(node, other))) next.push(key(node, other))
        groups.join(key(node, linkedid), key(node, other))
      }
    }
    latest = next
  }
}

async function readLegRows(store: Store, groups: Groups): Promise<LegRow[]> {
  const rows: LegRow[] = []
  for (const [node, linkedids] of byNode(groups.keys()))
    rows.push(
      ...(await store.query<LegRow>(
        `SELECT toUnixTimestamp64Micro(at) AS atMicros, node, linkedid, callId, channel, uniqueid, link, reason FROM legs
         WHERE kind = 'leg-linked' AND node = {node:String} AND linkedid IN {linkedids:Array(String)}
         ORDER BY link = 'guess', link = 'hep', at LIMIT 1 BY linkedid, callId, uniqueid`,
        { node, linkedids },
      )),
    )
  return rows
}

/** `node\0callId` → the Linkedids that Asterisk itself answered for it. Only asked for what is less sure. */
async function readSureLinks(
  store: Store,
  members: ReadonlyMap<string, readonly LegRow[]>,
): Promise<Map<string, string[]>> {
  const unsure = [...members.values()].flat().filter(({ link }) => link !== 'getvar')
  const sure = new Map<string, string[]>()
  for (const [node, callIds] of byNode(unsure.map((row) => key(row.node, row.callId)))) {
    const rows = await store.query<{ callId: string; linkedid: string }>(
      `SELECT DISTINCT callId, linkedid FROM legs
       WHERE kind = 'leg-linked' AND node = {node:String} AND link = 'getvar' AND callId IN {callIds:Array(String)}`,
      { node, callIds },
    )
    for (const { callId, linkedid } of rows) {
      const linkedids = sure.get(key(node, callId))
      if (linkedids) linkedids.push(linkedid)
      else sure.set(key(node, callId), [linkedid])
    }
  }
  return sure
}

/** What HEP or a guess said is void where Asterisk answered another call. */
function isElsewhere(
  row: LegRow,
  root: string,
  groups: Groups,
  sure: ReadonlyMap<string, readonly string[]>,
): boolean {
  return (sure.get(key(row.node, row.callId)) ?? []).some((linkedid) => {
    const other = key(row.node, linkedid)
    return !groups.has(other) || groups.root(other) !== root
  })
}

function pickLegs(rows: readonly LegRow[], isVoid: (row: LegRow) => boolean): Leg[] {
  const sure = new Set(rows.filter(({ link }) => link === 'getvar').map(({ callId }) => callId))
  const seen = new Set<string>()
  return rows
    .filter((row) => {
      const channel = `${row.callId}\0${row.uniqueid}`
      if (seen.has(channel)) return false
      seen.add(channel)
      return row.link === 'getvar' || !(sure.has(row.callId) || isVoid(row))
    })
    .slice(0, maxLegsACall)
    .toSorted((a, b) => a.atMicros - b.atMicros)
    .map(({ callId, channel, uniqueid, linkedid, link, reason }) => ({
      callId,
      channel,
      uniqueid,
      linkedid,
      link,
      ...(reason === '' ? {} : { reason }),
    }))
}
