import t from 'tap'
import { runSipp, startSipp, type SippResult, type SippScenario } from '@sip-capture/infra/test-pbx/sipp.ts'
import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import { startSystem, type System, until } from '../system.ts'

t.setTimeout(1_800_000)

interface Case {
  readonly name: string
  /** Places the calls; returns when all legs are there. */
  readonly place: (system: System) => Promise<void>
  /** Call-IDs, as many as the dialplan makes legs. */
  readonly legs: number
}

const from = (system: System) => ({
  remote: { address: system.pbx.address, port: system.pbx.sipPort },
  address: system.pbx.phoneAddress,
})

const oneCall =
  (number: string, scenario: SippScenario = 'answered', holdMs = 800) =>
  async (system: System): Promise<void> => {
    const phone = await runSipp({ ...from(system), scenario, number, holdMs })
    if (phone.callsOk !== 1) throw new Error(phone.errors)
  }

/** The transferer is done soon; SIPp itself stays for a minute longer. */
const transfer = (number: string, scenario: SippScenario) => async (system: System) => {
  const wanted = scenario === 'attended-transfer' ? 2 : 1
  const isTransferred = async () => {
    const calls = await system.pbx.cli('core show channels concise')
    const alive = calls.split('\n').filter((line) => line.startsWith('PJSIP/'))
    const isDone = (await system.count({ method: 'BYE', from: '1001' })) + (await byes(system)) >= wanted
    return isDone && alive.length === 2 && alive.every((line) => line.startsWith('PJSIP/trunk'))
  }
  // A SIPp that found one of its ports taken meanwhile ends without a word: then there was no call yet.
  for (let tries = 1; ; tries += 1) {
    const phone = await startSipp({ ...from(system), scenario, number, holdMs: 500, calls: 1 })
    t.teardown(() => phone.stop(1_000))
    let ended: SippResult | undefined
    void phone.finished.then((result) => (ended = result))
    await until(async () => ended?.sent === 0 || (await isTransferred()), 'the transfer')
    if (ended?.sent !== 0) return
    if (tries === 3) throw new Error(`SIPp sends nothing: ${ended.errors}`)
  }
}

const byes = (system: System) => system.count({ method: 'BYE', to: '1001' })

async function parkAndFetch(system: System): Promise<void> {
  const parked = await startSipp({
    ...from(system),
    scenario: 'answered',
    number: '640',
    holdMs: 4_000,
    calls: 1,
  })
  await until(
    async () => /PJSIP\/phone/.test(await system.pbx.cli('parking show default')),
    'the call to be parked',
  )
  const lot = await system.pbx.cli('parking show default')
  const space = /Space\s*:\s*(\d+)/.exec(lot)?.[1] ?? '701'
  const fetcher = await runSipp({ ...from(system), scenario: 'answered', number: space, holdMs: 1_000 })
  if (fetcher.callsOk !== 1) throw new Error(fetcher.errors)
  await parked.stop()
}

async function threeInAConference(system: System): Promise<void> {
  const talkers = await Promise.all(
    [1, 2, 3].map(() =>
      startSipp({ ...from(system), scenario: 'answered', number: '650', holdMs: 5_000, calls: 1 }),
    ),
  )
  const results = await Promise.all(talkers.map((talker) => talker.finished))
  for (const { callsOk, errors } of results) if (callsOk !== 1) throw new Error(errors)
}

const legsOf = (call: CallDetail) => call.legs.map((leg) => leg.callId).toSorted()

const cases: readonly Case[] = [
  { name: 'a ring-all to three', place: oneCall('610'), legs: 4 },
  { name: 'an attended transfer', place: transfer('2160', 'attended-transfer'), legs: 4 },
  { name: 'a blind transfer', place: transfer('2150', 'blind-transfer'), legs: 3 },
  { name: 'a queue call, one member behind a Local channel', place: oneCall('620'), legs: 3 },
  { name: 'a Local channel that stays', place: oneCall('630'), legs: 2 },
  { name: 'a Local channel that is optimised away', place: oneCall('631'), legs: 2 },
  { name: 'a call that is forwarded (302)', place: oneCall('2302'), legs: 3 },
  { name: 'a call that is parked and fetched by another', place: parkAndFetch, legs: 2 },
  { name: 'a conference of three', place: threeInAConference, legs: 3 },
]

t.test('each way of getting more legs gives one call with all of them, by any of its ids', async (t) => {
  const system = await startSystem(t)
  await system.startTrunk()
  const before = new Set<string>()
  for (const { name, place, legs } of cases)
    await t.test(name, async (t) => {
      await place(system)
      await system.pbx.cli('channel request hangup all')
      const invited = async () =>
        [...new Set((await system.messages({ method: 'INVITE' })).map((row) => row.callId))].filter(
          (callId) => !before.has(callId),
        )
      await until(async () => (await invited()).length >= legs, `${legs} Call-IDs`)
      const callIds = (await invited()).toSorted()
      for (const callId of callIds) before.add(callId)
      t.equal(callIds.length, legs, 'as many Call-IDs as the dialplan makes legs')

      let call: CallDetail | undefined
      await until(async () => {
        call = await system.call(callIds[0] ?? '')
        return call.legs.length >= legs
      }, 'all legs in one call').catch(() => undefined)
      t.same(call && legsOf(call), callIds)
      const ids = new Set<string>()
      for (const leg of call?.legs ?? []) {
        // A leg that is refused at once may be gone before Asterisk can be asked; then the answer says how it is known.
        t.ok(
          leg.link === 'getvar' || leg.reason,
          `${leg.callId} is linked by ${leg.link}: ${leg.reason ?? ''}`,
        )
        for (const id of [leg.callId, leg.uniqueid, leg.linkedid, leg.channel]) if (id) ids.add(id)
      }
      for (const id of ids) t.same(legsOf(await system.call(id)), callIds, `by ${id}`)
    })
})

t.test('two strangers in one parking lot stay two calls', async (t) => {
  const system = await startSystem(t)
  const parked = await Promise.all(
    [1, 2].map(() =>
      startSipp({ ...from(system), scenario: 'answered', number: '640', holdMs: 2_500, calls: 1 }),
    ),
  )
  for (const { callsOk, errors } of await Promise.all(parked.map((call) => call.finished)))
    if (callsOk !== 1) throw new Error(errors)
  let callIds: string[] = []
  await until(async () => {
    callIds = [...new Set((await system.messages({ method: 'BYE' })).map((row) => row.callId))]
    return callIds.length >= 2
  }, 'both to have ended')
  t.equal(new Set((await system.messages({ method: 'INVITE' })).map((row) => row.callId)).size, 2)
  for (const callId of callIds) {
    let call: CallDetail | undefined
    await until(async () => {
      call = await system.call(callId)
      return call.legs[0]?.link === 'getvar'
    }, 'its leg')
    t.same(
      call?.legs.map((leg) => leg.callId),
      [callId],
    )
  }
})
