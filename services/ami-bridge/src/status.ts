import type { SourceGap, SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import type { AmiConnection } from './ami/connection.ts'
import type { Config } from './config.ts'
import type { HepTap } from './taps/hep.ts'
import { type HistoryTap, notStarted } from './taps/history.ts'
import type { TapSelection } from './taps/tap-selection.ts'

export interface StatusParts {
  readonly config: Config
  readonly startedAtMicros: number
  readonly ami: AmiConnection | undefined
  readonly selection: TapSelection
  readonly history: HistoryTap | undefined
  readonly hep: HepTap | undefined
  readonly subject: string
  readonly lastMessageAtMicros: number | null
  /** What Redis refuses. */
  readonly problems: readonly (string | undefined)[]
  readonly warnings: readonly string[]
  readonly gaps: readonly SourceGap[]
  readonly counters: Readonly<Record<string, number>>
}

/** The heartbeat: what works, what does not, and which setting to look at. */
export function collectStatus(parts: StatusParts): SourceStatus {
  const { config, ami, selection, gaps } = parts
  const where =
    config.AMI_HOST === undefined
      ? ''
      : `${parts.subject || 'Asterisk'} at ${config.AMI_HOST}:${config.AMI_PORT}`
  const amiCounters = ami?.counters
  return {
    v: 1,
    kind: 'ami',
    node: config.NODE_NAME,
    atMicros: nowMicros(),
    startedAtMicros: parts.startedAtMicros,
    ...stateOf(parts),
    ...(selection.tap === undefined || !ami ? {} : { tap: selection.tap, tapReason: selection.reason }),
    subject: where.slice(0, 512),
    lastMessageAtMicros: parts.lastMessageAtMicros,
    counters: {
      ...parts.counters,
      ...(amiCounters && {
        ami_events: amiCounters.events,
        ami_connects: amiCounters.connects,
        ami_timeouts: amiCounters.timeouts,
        ami_suspect: amiCounters.suspect,
        ami_oversized: amiCounters.oversized,
        ami_malformed: amiCounters.malformed,
      }),
    },
    warnings: parts.warnings.slice(0, 32).map((warning) => warning.slice(0, 2000)),
    gaps: [...gaps],
  }
}

function stateOf({
  ami,
  selection,
  history,
  hep,
  problems,
}: StatusParts): Pick<SourceStatus, 'state' | 'detail'> {
  if (!ami) return { state: 'off', detail: 'No Asterisk is named: set AMI_HOST, AMI_USERNAME and AMI_SECRET' }
  const isHepDelivering = selection.tap === 'hep' && (hep?.counters['hep_sip'] ?? 0) > 0
  if (!ami.isUp) {
    const detail = ami.failure?.sentence
    if (detail === undefined) return { state: 'starting', detail: 'Connecting to Asterisk' }
    return isHepDelivering
      ? { state: 'degraded', detail: `HEP delivers, but AMI is gone: ${detail}` }
      : { state: 'failed', detail }
  }
  if (selection.tap === undefined)
    return { state: 'off', detail: 'AMI_TAP is off: calls and endpoints are read, SIP is not' }
  const refused = problems.find((problem) => problem !== undefined)
  if (refused !== undefined)
    return { state: 'degraded', detail: `Redis (REDIS_URL) does not take what is written: ${refused}` }
  if (selection.tap === 'history' && history && !history.isReading)
    return history.problem === undefined || history.problem === notStarted
      ? { state: 'starting', detail: 'Switching the PJSIP history on' }
      : { state: 'failed', detail: `SIP cannot be read: ${history.problem}` }
  if (selection.tap === 'hep' && !isHepDelivering)
    return {
      state: 'degraded',
      detail: 'No HEP packet has come yet: check hep.conf and HEP_LISTEN, or set AMI_TAP=auto',
    }
  return { state: 'up', detail: `Reading SIP by ${names[selection.tap]}` }
}

const names = { events: 'AMI events', hep: 'HEP', history: 'the PJSIP history' } as const
