import { callFilter, type CallFilter, type CallRow } from '@sip-capture/contract/rest/call-log.ts'
import type { GoodCallChoice } from '@sip-capture/contract/rest/comparison.ts'
import { parseTime } from '@sip-capture/contract/time.ts'
import { toPrintable } from '@sip-capture/sip/printable.ts'
import type { History } from '../history/history-process.ts'

export interface GoodCall {
  readonly good: CallRow | null
  readonly chosenBy: GoodCallChoice | null
  readonly sentence: string
}

/** A number of the log may be a name with `*` in it; then it cannot be asked for exactly. */
const plain = /^[^*"\\\p{Cc}]{1,128}$/u
/** The log's words find a part of a number: of so many the first that is exactly it is taken. */
const looked = 50

/** The last call before `call` that went well, of the same pair, else to the same number, else over the same trunk or
 *  endpoint: the nearest kin first, however long ago. */
export async function findGoodCall(history: History, call: CallRow): Promise<GoodCall> {
  const startedAt = parseTime(call.startedAt) ?? 0
  const isKin: Record<GoodCallChoice, (one: CallRow) => boolean> = {
    pair: (one) => one.from.number === call.from.number && one.to.number === call.to.number,
    called: (one) => one.to.number === call.to.number,
    trunk: (one) => one.trunks.some((name) => call.trunks.includes(name)),
    endpoint: (one) => one.endpoints.some((name) => call.endpoints.includes(name)),
  }
  for (const { chosenBy, words, how } of waysToLook(call)) {
    const filter: CallFilter = callFilter.parse({ ...words, state: ['completed'] })
    const { items } = await history.ask<'listCalls'>({
      method: 'listCalls',
      filter,
      until: startedAt,
      order: 'desc',
      limit: looked,
    })
    const good = items.find((one) => one.id !== call.id && isGood(one) && isKin[chosenBy](one))
    if (good !== undefined) return { good, chosenBy, sentence: `The last good call ${how} before this one.` }
  }
  return {
    good: null,
    chosenBy: null,
    sentence: 'No good call of this pair, to this number or over this trunk came before this one.',
  }
}

/** Ended well, and nothing to warn of. */
function isGood({ verdict }: CallRow): boolean {
  return verdict === null || verdict.severity === 'ok' || verdict.severity === 'info'
}

const shown = (text: string) => toPrintable(text, 60)

interface Way {
  readonly chosenBy: GoodCallChoice
  readonly words: Readonly<Record<string, string[]>>
  readonly how: string
}

function waysToLook({ from, to, trunks, endpoints }: CallRow): Way[] {
  const ways: Way[] = []
  if (plain.test(to.number)) {
    if (plain.test(from.number))
      ways.push({
        chosenBy: 'pair',
        words: { from: [from.number], to: [to.number] },
        how: `from ${shown(from.number)} to ${shown(to.number)}`,
      })
    ways.push({ chosenBy: 'called', words: { to: [to.number] }, how: `to ${shown(to.number)}` })
  }
  if (trunks.length > 0)
    ways.push({ chosenBy: 'trunk', words: { trunk: trunks }, how: `over ${trunks.map(shown).join(' or ')}` })
  if (endpoints.length > 0)
    ways.push({
      chosenBy: 'endpoint',
      words: { endpoint: endpoints },
      how: `of ${endpoints.map(shown).join(' or ')}`,
    })
  return ways
}
