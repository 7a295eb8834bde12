import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { registeringUsers } from './test-pbx/pbx-config.ts'
import { type SippOptions, type SippRun, startSipp } from './test-pbx/sipp.ts'
import type { TestPbx } from './test-pbx/test-pbx.ts'

export interface DemoCalls {
  readonly made: number
  readonly wasStopped: boolean
  /** Resolves when the time is over and the last call has ended, or after `stop`. */
  readonly finished: Promise<void>
  stop(): Promise<void>
}

const callers = [
  { number: '1001', name: 'Reception' },
  { number: '1002', name: 'Workshop' },
  { number: '1003', name: 'Sales desk' },
  { number: '1004', name: 'Meeting room' },
] as const

/** An address that no endpoint is identified by: whoever calls from it has to register. */
const registrarClientAddress = '127.0.0.4'

type DemoCall = Omit<SippOptions, 'remote' | 'caller'>

/** One round of calls as a small office makes them: most go well, each kind of failure comes up. */
function roundOfCalls(pbx: TestPbx): readonly DemoCall[] {
  const phone = { address: pbx.phoneAddress }
  const registrar = { address: registrarClientAddress }
  return [
    { ...registrar, scenario: 'register', number: '6001', password: registeringUsers['6001'] ?? '' },
    { ...phone, scenario: 'answered', number: '2100', holdMs: 6000 },
    { ...phone, scenario: 'busy', number: '2486' },
    { ...phone, scenario: 'answered', number: '2117', holdMs: 9000 },
    { ...registrar, scenario: 'register-wrong-password', number: '6002', password: 'not-the-password' },
    { ...phone, scenario: 'no-answer', number: '2480', holdMs: 4000 },
    { ...phone, scenario: 'answered', number: '2233', holdMs: 4000 },
    { ...phone, scenario: 'not-found', number: '9999' },
    { ...phone, scenario: 'options' },
    { ...phone, scenario: 'unavailable', number: '2503' },
    { ...phone, scenario: 'answered', number: '600', holdMs: 3000, transport: 'tcp' },
  ]
}

/** Makes a call each two to three seconds until the time is over; calls may overlap, as they do in an office. */
export async function startDemoCalls(pbx: TestPbx, forMs: number): Promise<DemoCalls> {
  const trunk = await startSipp({ scenario: 'trunk', address: pbx.trunkAddress, port: pbx.trunkPort })
  const stopping = new AbortController()
  const open = new Set<SippRun>()
  let made = 0

  const call = async (next: DemoCall): Promise<void> => {
    const caller = callers[made % callers.length] ?? callers[0]
    made += 1
    const run = await startSipp({
      calls: 1,
      ...next,
      caller,
      remote: { address: pbx.address, port: pbx.sipPort },
    })
    open.add(run)
    await run.finished
    open.delete(run)
  }
  const loop = async (): Promise<void> => {
    const endsAt = performance.now() + forMs
    const round = roundOfCalls(pbx)
    for (let index = 0; performance.now() < endsAt && !stopping.signal.aborted; index += 1) {
      const next = round[index % round.length]
      if (next !== undefined) void call(next)
      await pause(randomInt(2000, 3000), undefined, { signal: stopping.signal }).catch(() => undefined)
    }
    await Promise.all([...open].map((run) => run.finished))
    await trunk.stop()
  }
  const finished = loop()
  return {
    get made() {
      return made
    },
    get wasStopped() {
      return stopping.signal.aborted
    },
    finished,
    async stop() {
      stopping.abort()
      await Promise.all([...open].map((run) => run.stop()))
      await finished
    },
  }
}
