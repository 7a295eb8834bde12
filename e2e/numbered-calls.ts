import { runSipp, type SippResult, type SippScenario } from '@sip-capture/infra/test-pbx/sipp.ts'
import { type System, until } from './system.ts'

/** What both ends of the calls logged: each call dials a number of its own, so Call-IDs with one number are one call. */
export interface Truth {
  readonly numberOf: ReadonlyMap<string, string>
  readonly calls: readonly { readonly number: string; readonly phone: string; readonly trunk: string }[]
}

export async function placeNumberedCalls(
  system: System,
  options: {
    scenario: Extract<SippScenario, `${string}-each`>
    number: string
    calls: number
    callsPerSecond: number
  },
): Promise<Truth> {
  const trunk = await system.startTrunk()
  const phone = await runSipp({
    ...options,
    remote: { address: system.pbx.address, port: system.pbx.sipPort },
    address: system.pbx.phoneAddress,
    // Asterisk is asked whose a channel is while it lives.
    holdMs: 2_000,
  })
  if (phone.callsOk !== options.calls)
    throw new Error(`only ${phone.callsOk} of ${options.calls} calls went as they should: ${phone.errors}`)
  const [near, far] = [readNumbers(phone), readNumbers(await trunk.stop())]
  const trunkOf = new Map([...far].map(([callId, number]) => [number, callId]))
  return {
    numberOf: new Map([...near, ...far]),
    calls: [...near].map(([callId, number]) => ({
      number,
      phone: callId,
      trunk: trunkOf.get(number) ?? `no INVITE to ${number} came out`,
    })),
  }
}

/** Call-ID → dialled number. */
function readNumbers({ messages }: SippResult): Map<string, string> {
  const numbers = new Map<string, string>()
  for (const { text } of messages) {
    const number = /^INVITE sip:(\d+)@/.exec(text)?.[1]
    const callId = /^Call-ID: (.*?)\r$/im.exec(text)?.[1]
    if (number !== undefined && callId !== undefined) numbers.set(callId, number)
  }
  return numbers
}

/** Waits until every leg is linked or given up, and what the bridge told of it is in the history. Its counters. */
export async function allTold(system: System, legs: number): Promise<Readonly<Record<string, number>>> {
  let counters: Readonly<Record<string, number>> = {}
  await until(async () => {
    const { items } = await system.sources()
    counters = items.find((item) => item.kind === 'ami')?.counters ?? {}
    return (counters['legs_linked'] ?? 0) + (counters['legs_unlinked'] ?? 0) >= legs
  }, `${legs} legs to be linked or given up`)
  const told = counters['call_events'] ?? 0
  await until(
    async () => ((await system.sources()).api.counters['callEvents'] ?? 0) >= told,
    `${told} call events in the history`,
  )
  return counters
}

export interface Outcome {
  /** Calls that have both legs and no other. */
  exact: number
  /** Legs of one call that were found in another. */
  wrong: string[]
  /** Legs by how they are known; `none`: not at all. */
  sources: Record<string, number>
  guessesWithoutReason: number
}

/** Asks the API for each call by the Call-ID of one of its legs. */
export async function compareCalls(
  system: System,
  { numberOf, calls }: Truth,
  askBy: 'phone' | 'trunk',
): Promise<Outcome> {
  const outcome: Outcome = { exact: 0, wrong: [], sources: {}, guessesWithoutReason: 0 }
  for (const call of calls) {
    const { legs } = await system.call(call[askBy])
    for (const { callId, link } of legs)
      if (numberOf.get(callId) !== call.number)
        outcome.wrong.push(`${callId} (${link}) in the call to ${call.number}`)
    for (const callId of [call.phone, call.trunk]) {
      const leg = legs.find((candidate) => candidate.callId === callId)
      const source = leg === undefined || leg.link === 'asked' ? 'none' : leg.link
      outcome.sources[source] = (outcome.sources[source] ?? 0) + 1
      if (leg?.link === 'guess' && !leg.reason) outcome.guessesWithoutReason += 1
    }
    if (legs.length === 2 && legs.every(({ callId }) => callId === call.phone || callId === call.trunk))
      outcome.exact += 1
  }
  return outcome
}
