import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { scenario } from '@sip-capture/infra/sipp/lab/steps.ts'
import { runSipp, startSipp, type SippResult, type SippRun } from '@sip-capture/infra/test-pbx/sipp.ts'
import type { TestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { messageRow } from '@sip-capture/contract/rest/message.ts'
import { page } from '@sip-capture/contract/rest/page.ts'
import type { Test } from 'tap'
import { startSystem, until, type System } from '../system.ts'
import type { Entry, Place } from './fault.ts'
import { pbxOutside, startNat } from './nat.ts'
import { startTlsStranger } from './tls-stranger.ts'
import { dialplanOf, pjsipOf, registrationOf, transports } from './pbx-settings.ts'

/** What both far sides of an entry logged. */
export interface Trial<E extends Entry> {
  readonly entry: E
  /** Of the caller where there is one, else of the called side. */
  readonly callId: string
  readonly errors: string
}

export interface Laboratory {
  readonly system: System
  /** Does what the entry says, to its end: first the called side is there, then the caller comes. */
  run<E extends Entry>(entry: E, timeoutSeconds: number): Promise<Trial<E>>
}

/** One Asterisk with the settings of all entries, and the whole product that listens to it by the history tap and by the
 *  wire. To be run in a network namespace of its own: addresses and ports are fixed. */
export async function startLaboratory(t: Test, entries: readonly Entry[]): Promise<Laboratory> {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-lab-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const places = new Map(entries.map((entry, index) => [entry.name, placeOf(entry, index)]))
  const place = ({ name }: Entry): Place => {
    const found = places.get(name)
    if (found === undefined) throw new Error(`${name} is no entry of this laboratory`)
    return found
  }
  const behindNat = entries.filter(({ isBehindNat }) => isBehindNat).map(place)
  const nat = await startNat(
    t,
    behindNat.map(({ phoneAddress, callerAddress }) => [phoneAddress, callerAddress]),
  )
  const system = await startSystem(t, {
    wire: true,
    // A channel that a refusal ends at once cannot always be asked for its call: HEP names it.
    hep: true,
    services: ['ami-bridge', 'capture-sidecar', 'api'],
    env: { TSHARK_INTERFACE: 'any', TSHARK_FILTER: 'udp or tcp port 5060 or tcp port 5061' },
    extraConf: {
      'pjsip.conf': [transports(folder), ...entries.map((entry) => pjsipOf(entry, place(entry)))].join('\n'),
      'extensions.conf': entries.map((entry) => dialplanOf(entry, place(entry))).join('\n'),
    },
  })
  await knowsNames(system, entries, place)

  async function start(
    entry: Entry,
    role: 'caller' | 'called',
    timeoutSeconds: number,
  ): Promise<SippRun | null> {
    const steps = entry[role]
    if (steps === undefined) return null
    const file = join(folder, `${entry.name}-${role}.xml`)
    await writeFile(file, scenario(`${entry.name}, ${role}`, steps))
    const isRegistering = steps[0]?.includes('REGISTER sip:') === true
    return startSipp({
      scenario: file as `${string}.xml`,
      address: role === 'caller' ? place(entry).phoneAddress : place(entry).calledAddress,
      port: 5060,
      calls: 1,
      timeoutSeconds: timeoutSeconds + 10,
      ...(role === 'caller' && {
        remote: remoteOf(entry, system.pbx),
        ...(entry.isBehindNat && { namespaceOf: nat.phones }),
        ...(entry.isPlainAtTls && { transport: 'tcp' }),
        number: entry.number ?? (isRegistering ? entry.name : '100'),
        ...(entry.password && { password: entry.password }),
      }),
      ...(role === 'called' && entry.transport && { transport: entry.transport }),
      // Each has an address of its own, so that all may have the same media port.
      more: ['-default_behaviors', 'none', '-deadcall_wait', '0', '-mp', '6000'],
    })
  }

  async function letRegister(entry: Entry, after: Promise<void>): Promise<void> {
    const text = registrationOf(entry, place(entry))
    await after
    await appendFile(join(system.pbx.configFolder, 'pjsip.conf'), `\n${text}\n`)
    await system.pbx.cli('module reload res_pjsip_outbound_registration.so')
  }
  /** One after the other: the file and the reload are for all. */
  let registered = Promise.resolve()

  return {
    system,
    async run(entry, timeoutSeconds) {
      const startedAt = performance.now()
      if (entry.isCalledOverTls) await startTlsStranger(t, folder, place(entry).calledAddress)
      const called = await start(entry, 'called', timeoutSeconds)
      if (entry.settings?.registration !== undefined) {
        registered = letRegister(entry, registered)
        await registered
      }
      if (entry.command !== undefined) await system.pbx.cli(entry.command)
      const caller = await start(entry, 'caller', timeoutSeconds)
      // A side that waits for what does not come is ended; what it saw until then counts.
      const timer = setTimeout(() => {
        for (const side of [caller, called]) void side?.stop(5_000)
      }, timeoutSeconds * 1000)
      const far = await called?.finished
      const near = await caller?.finished
      clearTimeout(timer)
      const seconds = Math.round((performance.now() - startedAt) / 1000)
      t.comment(`${entry.name}: ${seconds} s, caller ${ended(near)}, called ${ended(far)}`)
      return {
        entry,
        callId: callIdOf(near ?? far),
        errors: [near?.errors, far?.errors].filter(Boolean).join('\n'),
      }
    },
  }
}

/** Asterisk's directory reaches the history a little after Asterisk answers calls: until then every caller is a stranger. */
async function knowsNames(
  system: System,
  entries: readonly Entry[],
  place: (entry: Entry) => Place,
): Promise<void> {
  const known = entries.find(({ caller, settings }) => caller && settings === undefined)
  if (known === undefined) return
  const { callerAddress } = place(known)
  await until(async () => {
    await runSipp({
      scenario: 'options',
      address: callerAddress,
      remote: { address: system.pbx.address, port: system.pbx.sipPort },
    })
    const answer = await system.get(`/api/v1/messages?method=OPTIONS&address=${callerAddress}&limit=1`)
    const [newest] = page(messageRow).parse(await answer.json()).items
    return newest !== undefined && [newest.src.name, newest.dst.name].includes(known.name)
  }, 'history to know who is who')
}

function ended(result: SippResult | undefined): string {
  return result === undefined ? '-' : result.callsOk === 1 ? 'ok' : 'not as planned'
}

function placeOf({ name, isBehindNat }: Entry, index: number): Place {
  const host = `${Math.floor(index / 200)}.${(index % 200) + 1}`
  const place = { name, calledAddress: `127.2.${host}` }
  return isBehindNat
    ? { ...place, phoneAddress: `192.168.50.${index + 10}`, callerAddress: `203.0.113.${index + 10}` }
    : { ...place, phoneAddress: `127.1.${host}`, callerAddress: `127.1.${host}` }
}

/** Where the caller finds Asterisk. */
function remoteOf({ isBehindNat, isPlainAtTls }: Entry, pbx: TestPbx): { address: string; port: number } {
  if (isBehindNat) return { address: pbxOutside, port: 5060 }
  return { address: pbx.address, port: isPlainAtTls ? 5061 : pbx.sipPort }
}

function callIdOf(result: SippResult | undefined): string {
  for (const { text } of result?.messages ?? []) {
    const callId = /^Call-ID: *(.*?)\r?$/im.exec(text)?.[1]
    if (callId !== undefined) return callId
  }
  return ''
}
