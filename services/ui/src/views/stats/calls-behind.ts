import { failedStates } from '@sip-capture/contract/rest/call-log.ts'
import { quoteValue } from '@sip-capture/contract/search/complete.ts'
import { bothSearches, type CallsFilter, callsLink } from '../../state/calls-filter.ts'

/** Searches that find exactly the calls that a number counts: the words of `call-stats.ts` in the API. */
const pastSetUp = '-state:setting-up,ringing'
export const behind = {
  all: '',
  answered: 'answered:yes',
  /** What ASR and NER are shares of. */
  seizures: pastSetUp,
  effective: `(answered:yes OR code:480,486,487,600,603) ${pastSetUp}`,
  talked: 'talk:>=0ms',
  rang: 'pdd:>=0ms',
  failed: `state:${failedStates.join(',')}`,
  pddFrom: (millis: number) => `pdd:>=${Math.round(millis)}ms`,
  state: (state: string) => `state:${state}`,
  code: (code: string) => `code:${code}`,
  verdict: (ruleId: string) => `verdict:${quoteValue(ruleId)}`,
  trunk: (trunk: string) => (trunk === '' ? '-trunk:*' : `trunk:${quoteValue(trunk)}`),
  failure: (trunk: string, code: number | null) =>
    [behind.failed, behind.trunk(trunk), code === null ? '-code:>=100' : `code:${code}`].join(' '),
}

/** The calls of a number: those of the page's own search and time for which `search` holds too. */
export function linkBehind(filter: CallsFilter, search: string): string {
  return callsLink({ ...filter, q: bothSearches(filter.q, search) })
}
