import { execFileSync } from 'node:child_process'
import type { CallDetail } from '@sip-capture/contract/rest/call.ts'
import t from 'tap'
import { allStored } from '../system.ts'
import type { Entry } from './fault.ts'
import { faultsHere } from './faults-here.ts'
import { faultsThere } from './faults-there.ts'
import { healthy } from './healthy.ts'
import { startLaboratory, type Laboratory, type Trial } from './laboratory.ts'

/** The laboratory's own network: started by `test/laboratory.test.ts` in a namespace in which nothing else runs. */
t.setTimeout(1_800_000)

/** Addresses that are there and have nobody at them, as those behind a NAT. */
function prepareNetwork(): void {
  execFileSync('ip', ['link', 'set', 'lo', 'up'])
  for (const address of ['192.168.77.2', '192.168.77.3'])
    execFileSync('ip', ['address', 'add', `${address}/32`, 'dev', 'lo'])
}

function line({
  at,
  source,
  src,
  dst,
  method,
  status,
  reason,
  callId,
}: CallDetail['messages'][number]): string {
  return `${at.slice(11)} ${source} ${src.address}:${src.port} > ${dst.address}:${dst.port} ${status ?? ''} ${method} ${reason} ${callId}`
}

const isBad = ({ severity }: { severity: string }) => severity === 'warning' || severity === 'error'
const chosen = process.env['LABORATORY_ONLY']?.split(',')
const wanted = <E extends { name: string }>(entries: readonly E[]): E[] =>
  entries.filter(({ name }) => chosen === undefined || chosen.includes(name))

/** As many at once as two cores carry without making anyone late. */
const atOnce = 10

/** The long ones wait more than they do, and all run beside the others. */
async function runAll<E extends Entry>(laboratory: Laboratory, entries: readonly E[]): Promise<Trial<E>[]> {
  const long = entries.filter(({ isLong }) => isLong).map((entry) => laboratory.run(entry, 75))
  const short = entries.filter(({ isLong }) => !isLong)[Symbol.iterator]()
  const done: Trial<E>[] = []
  const worker = async (): Promise<void> => {
    for (const entry of short) done.push(await laboratory.run(entry, 20))
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
  return [...done, ...(await Promise.all(long))]
}

await t.test('the laboratory', async (t) => {
  prepareNetwork()
  const laboratory = await startLaboratory(t, [...faultsHere, ...faultsThere, ...healthy])
  const { system } = laboratory
  const faults = wanted([...faultsHere, ...faultsThere])
  const trials = await runAll<Entry>(laboratory, [...faults, ...wanted(healthy)])
  await allStored(system)

  const told = async (entry: Entry) => {
    const { callId, errors } = trials.find((one) => one.entry === entry) ?? { callId: '', errors: 'not run' }
    if (callId === '') throw new Error(`${entry.name}: no message came or went: ${errors}`)
    const call = await system.call(callId)
    const findings = call.findings.map(
      ({ ruleId, severity, sentence }) => `${severity} ${ruleId}: ${sentence}`,
    )
    const messages = call.messages.filter(({ source }) => source === 'wire').slice(0, 60)
    return {
      call,
      diagnostic: { callId, errors: errors.slice(0, 300), findings, messages: messages.map(line) },
    }
  }
  for (const fault of faults)
    await t.test(`${fault.name}: ${fault.rule}`, async (t) => {
      const { call, diagnostic } = await told(fault)
      const { rule, also = [] } = fault
      t.equal(call.findings[0]?.ruleId, rule, 'the right rule comes first', diagnostic)
      const wrong = call.findings.filter(
        (one) => isBad(one) && one.ruleId !== rule && !also.includes(one.ruleId),
      )
      t.same(
        wrong.map(({ ruleId }) => ruleId),
        [],
        'no wrong rule at warning or above',
        diagnostic,
      )
    })
  for (const entry of wanted(healthy))
    await t.test(`${entry.name} is well`, async (t) => {
      const { call, diagnostic } = await told(entry)
      t.same(
        call.findings.filter(isBad).map(({ ruleId }) => ruleId),
        [],
        'no warning',
        diagnostic,
      )
    })
})
