import type { Explanation, PjsipOption, Severity, VerdictRule } from './finding.ts'
import { statusOf } from './leg.ts'
import type { Sighting } from './sightings.ts'
import type { Transaction } from './transaction.ts'
import {
  answerDelay,
  answerText,
  calledNumber,
  givenReasons,
  isUs,
  nameOf,
  refusal,
  sideOf,
} from './wording.ts'

/** What a refusal means when that side gave it. */
export interface RefusalMeaning {
  readonly why: string | ((transaction: Transaction, final: Sighting) => string)
  readonly checks: readonly string[]
  readonly options?: readonly PjsipOption[]
}

export interface Refusal {
  readonly id: string
  readonly title: string
  readonly meaning: string
  /** The codes, each with the section that defines it. */
  readonly codes: ReadonlyMap<number, string>
  /** Sections beside those of the codes. */
  readonly rfc?: readonly string[]
  readonly severity?: Severity
  /** Who should act, where that is not the side that refused. */
  readonly side?: Explanation['side']
  /** When Asterisk refused, and when the far side did; a side without a meaning is left to other rules. */
  readonly us?: RefusalMeaning
  readonly peer?: RefusalMeaning
  titleOf?(transaction: Transaction, final: Sighting): string
}

/** A rule for a call that ended because its INVITE was refused with one of some codes. */
export function refusalRule(about: Refusal): VerdictRule {
  const { id, title, meaning, codes, us, peer } = about
  const meanings = [us, peer].filter((one) => one !== undefined)
  return {
    id,
    title,
    meaning,
    kind: 'outcome',
    checks: [...new Set(meanings.flatMap(({ checks }) => checks))],
    rfc: [...new Set([...codes.values(), ...(about.rfc ?? [])])],
    options: meanings.flatMap(({ options }) => options ?? []),
    methods: ['INVITE'],
    isOfFinal: (status) => codes.has(status),
    explain({ attempt }) {
      if (!attempt?.final) return null
      const section = codes.get(statusOf(attempt.final))
      if (section === undefined) return null
      const said = isUs(attempt, 'server') ? us : peer
      if (said === undefined) return null
      const { final } = attempt
      const why = typeof said.why === 'string' ? said.why : said.why(attempt, final)
      return {
        ...refusal(attempt, final),
        severity: about.severity ?? 'error',
        side: about.side ?? sideOf(attempt, 'server'),
        title: about.titleOf?.(attempt, final) ?? title,
        sentence:
          `${nameOf(attempt, 'server')} answered the call to ${calledNumber(attempt)} with ${answerText(final)} after ` +
          `${answerDelay(attempt, final)}: ${why}.${givenReasons(final)}`,
        checks: said.checks,
        options: said.options ?? [],
        rfc: [section, ...(about.rfc ?? [])],
      }
    },
  }
}
