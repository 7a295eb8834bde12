import type { VerdictRule } from '../finding.ts'
import { statusOf, type Leg } from '../leg.ts'
import { causeText, parseCause } from '../q850.ts'
import type { Sighting } from '../sightings.ts'
import { evidenceOf, hostName, isUs } from '../wording.ts'
import { rtpTimeoutCause } from './rtp-timeout.ts'
import type { Transaction } from '../transaction.ts'

/** Causes that say how people end calls, and nothing of a fault: cleared, answered elsewhere, unspecified; 0 is no
 *  cause at all: Asterisk's word for none. */
const normal: ReadonlySet<number> = new Set([0, 16, 26, 31])

/** The network is at fault, by its own word. */
const broken: ReadonlySet<number> = new Set([27, 34, 38, 41, 42, 44, 47, 102, 111])

interface Told {
  readonly sighting: Sighting
  readonly transaction: Transaction
  readonly cause: number
  readonly isAnswered: boolean
}

/** The Q.850 cause of the message that ended the leg: BYE before refusal before CANCEL. */
function endingCause(leg: Leg): Told | null {
  const { attempt } = leg
  const bye = leg.of('BYE').at(-1)
  if (!bye && statusOf(attempt?.final ?? null) < 300 && !attempt?.cancel) return null
  const candidates: [Sighting | null | undefined, Transaction | null | undefined][] = [
    [bye?.request, bye],
    [statusOf(attempt?.final ?? null) >= 300 ? attempt?.final : null, attempt],
    [attempt?.cancel?.request, attempt?.cancel],
  ]
  for (const [sighting, transaction] of candidates) {
    const values = sighting?.message.message.headerValues('reason') ?? []
    const cause = values.map(parseCause).find((one) => one !== null) ?? null
    if (sighting && transaction && cause !== null)
      return { sighting, transaction, cause, isAnswered: transaction === bye }
  }
  return null
}

/** The network's own reason. */
export const networkCause: VerdictRule = {
  id: 'D08-network-cause',
  title: "The network's own reason",
  meaning:
    'The Reason header carries the cause of the telephone network (Q.850). It comes from where the call really ended.',
  kind: 'symptom',
  checks: ['the cause at the side that gave it: the provider, or the dialplan (HANGUPCAUSE)'],
  rfc: ['RFC 3326'],
  methods: ['INVITE', 'BYE'],
  signs: ['bye', 'cancel', 'refusal', 'challenge'],
  explain(leg) {
    const told = endingCause(leg)
    if (told === null || normal.has(told.cause)) return null
    const { sighting, transaction, cause, isAnswered } = told
    // Asterisk's own word for a call without media.
    if (cause === rtpTimeoutCause && isAnswered && isUs(transaction, 'client')) return null
    const { message, src } = sighting.message
    const isFromClient = message.kind === 'request'
    const what = causeText(cause)
    const isBroken = isAnswered && broken.has(cause)
    return {
      severity: isBroken ? 'warning' : 'info',
      side: isBroken ? 'network' : 'none',
      confidence: 'high',
      title: `Cause ${cause}${what === '' ? '' : `: ${what}`}`,
      sentence:
        `${hostName(src, isUs(transaction, isFromClient ? 'client' : 'server'))} ended the call with Q.850 cause ${cause}` +
        `${what === '' ? '' : ` (${what})`} in ${message.kind === 'request' ? message.method : `its ${statusOf(sighting)}`}.`,
      evidence: evidenceOf(sighting),
      atMicros: sighting.message.atMicros,
    }
  },
}
