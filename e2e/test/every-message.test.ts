import t from 'tap'
import type { MessageRow } from '@sip-capture/contract/rest/message.ts'
import { parseMessage } from '@sip-capture/sip/message.ts'
import { runSipp, type SippMessage } from '@sip-capture/infra/test-pbx/sipp.ts'
import { ofSize } from '../sizes.ts'
import { settled, startSystem, until, type System } from '../system.ts'

t.setTimeout(1_800_000)

const calls = ofSize({ usual: 60, full: 200 })

async function placeCalls(system: System, count = calls): Promise<SippMessage[]> {
  const trunk = await system.startTrunk()
  const phone = await runSipp({
    scenario: 'answered',
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    number: '2001',
    calls: count,
    callsPerSecond: 10,
    holdMs: 300,
  })
  const far = await trunk.stop()
  // SIPp's own counters and its own log must agree before they serve as the measure.
  for (const end of [phone, far])
    if (end.sent + end.received !== end.messages.length)
      throw new Error(`SIPp counts ${end.sent + end.received} messages and logs ${end.messages.length}`)
  if (phone.callsOk !== count)
    throw new Error(`only ${phone.callsOk} of ${count} calls went well: ${phone.errors}`)
  return [...phone.messages, ...far.messages]
}

/** What a message is, whoever saw it. A retransmission has the same identity, so counts are compared, not sets. */
function identityOf(message: SippMessage): string {
  const parsed = parseMessage(Buffer.from(message.text, 'latin1'))
  if (!parsed.ok) throw new Error(parsed.problem)
  const { callId, cseq, branch, method, status } = parsed.message
  return [callId, cseq?.number, method, status, branch].join(' ')
}

const identityOfRow = (row: MessageRow): string =>
  [row.callId, row.cseq, row.method, row.status, row.branch].join(' ')

function countBy(items: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(item, (counts.get(item) ?? 0) + 1)
  return counts
}

/** Rows of the calls that SIPp knows of: Asterisk's own OPTIONS to the trunk are nobody's call. */
async function rowsOf(system: System, source: string, sent: readonly SippMessage[]): Promise<MessageRow[]> {
  const callIds = new Set(sent.map((message) => identityOf(message).split(' ')[0]))
  const read = async () => (await system.messages({ source })).filter((row) => callIds.has(row.callId))
  await settled(async () => (await read()).length, sent.length)
  return read()
}

t.test(
  'stock Asterisk with only an AMI user: every message of both legs is there once per source',
  async (t) => {
    const system = await startSystem(t, { wire: true })
    const sent = await placeCalls(system)
    t.comment(`SIPp counted ${sent.length} messages`)
    for (const source of ['ami-history', 'wire']) {
      const rows = await rowsOf(system, source, sent)
      t.equal(rows.length, sent.length, `${source}: as many rows as SIPp counted messages`)
      t.same(countBy(rows.map(identityOfRow)), countBy(sent.map(identityOf)), `${source}: the same messages`)
      t.equal(new Set(rows.map((row) => row.id)).size, rows.length, `${source}: no id twice`)
    }
    const { items } = await system.sources()
    const ami = items.find((item) => item.kind === 'ami')
    t.equal(ami?.tap, 'history')
    t.match(ami?.tapReason, /./)
  },
)

t.test('with HEP on, every message of both legs is there byte for byte', async (t) => {
  const system = await startSystem(t, { hep: true, wire: true })
  const tap = async () => (await system.sources()).items.find((item) => item.kind === 'ami')?.tap
  // Until HEP has shown what it can, both taps are read, and a message counts for the one that was read first.
  await until(async () => {
    if ((await tap()) !== 'hep') await placeCalls(system, 1)
    return (await tap()) === 'hep'
  }, 'HEP to take over')
  const sent = await placeCalls(system)
  const wanted = countBy(sent.map((message) => message.text))
  for (const source of ['ami-hep', 'wire']) {
    const rows = await rowsOf(system, source, sent)
    t.equal(rows.length, sent.length, `${source}: as many rows as SIPp counted messages`)
    const texts: string[] = []
    for (const callId of new Set(rows.map((row) => row.callId))) {
      const call = await system.call(callId)
      t.notOk(call.truncated)
      for (const message of call.messages)
        if (message.source === source && message.callId === callId)
          texts.push(Buffer.from(message.rawBase64, 'base64').toString('latin1'))
    }
    t.same(countBy(texts), wanted, `${source}: the bytes are those that SIPp sent and received`)
  }
  t.equal(await tap(), 'hep')
})
