import { decodeBatch } from '@sip-capture/contract/codec.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { sipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { allStored, settled, startSystem, until, type System } from './system.ts'

const calls = 200

/** Ids of every message that is on the bus. */
async function idsOnBus(system: System): Promise<Set<string>> {
  const redis = new Redis(system.stack.redisUrl)
  const keys = createBusKeys()
  const ids = new Set<string>()
  for (const key of [keys.trafficLog, keys.capture])
    for (const [, fields] of await redis.xrangeBuffer(key, '-', '+'))
      for (const record of decodeBatch(sipRecord, fields).items) ids.add(record.id)
  redis.disconnect()
  return ids
}

const sourceOf = { 'ami-bridge': 'ami', 'capture-sidecar': 'wire', api: undefined } as const

/** When the source that receives by this service began. */
async function startOf(system: System, name: keyof typeof sourceOf): Promise<string | undefined> {
  const { items } = await system.sources()
  const isReceiving = ({ kind, state }: (typeof items)[number]) =>
    kind === sourceOf[name] && (state === 'up' || state === 'degraded')
  return items.find(isReceiving)?.startedAt
}

function startCalls(system: System) {
  return runSipp({
    scenario: 'answered',
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    number: '2001',
    calls,
    callsPerSecond: 20,
    holdMs: 300,
  })
}

/**
 * Kills a service with SIGKILL in the middle of calls. Whatever was on the bus must be in the history once, and whoever
 * was not killed must have seen every message.
 */
export async function killInTraffic(
  t: Test,
  name: 'api' | 'ami-bridge' | 'capture-sidecar',
  options: { hep: boolean },
): Promise<void> {
  const { hep } = options
  const system = await startSystem(t, { hep, wire: true })
  const trunk = await system.startTrunk()
  const calling = startCalls(system)
  await until(async () => (await system.count({ source: 'wire' })) > 500, 'traffic')
  const before = system.stack.service(name).starts
  const began = await startOf(system, name)
  system.stack.service(name).kill('SIGKILL')
  await until(() => system.stack.service(name).starts > before, `${name} to be started again`)
  await system.stack.service(name).ready()
  await system.ready()
  // Until it says so itself, what it said before it was killed still stands.
  if (began !== undefined)
    await until(async () => ![began, undefined].includes(await startOf(system, name)), `${name} to receive`)
  const phone = await calling
  const far = await trunk.stop()
  t.equal(phone.callsOk, calls, 'the calls themselves never notice')

  const whole = phone.messages.length + far.messages.length
  await allStored(system)
  const onBus = await idsOnBus(system)
  await settled(() => system.count({}), onBus.size)
  const rows = await system.messages({})
  const stored = new Set(rows.map((row) => row.id))
  t.equal(stored.size, rows.length, 'nothing twice')
  t.same(
    [...onBus].filter((id) => !stored.has(id)),
    [],
    'nothing missing',
  )

  // Whoever was not killed saw every message. Asterisk keeps the history while the bridge is away: that tap misses nothing.
  const seenBy = (source: RegExp) =>
    rows.filter((row) => source.test(row.source) && row.method !== 'OPTIONS').length
  if (name !== 'capture-sidecar') t.equal(seenBy(/^wire$/), whole, 'the wire saw all')
  if (name !== 'ami-bridge' || !hep) t.equal(seenBy(/^ami-/), whole, 'Asterisk showed all')
}
