import type { VerdictRule } from '../finding.ts'
import { holdChanges, isHold } from '../hold.ts'
import { watchedUntilMicros } from '../leg.ts'
import { duration, evidenceOf, nameOf, sideOf } from '../wording.ts'

/** A shorter hold at the end is how people hang up on someone who waits. */
const noticedMicros = 10_000_000

/** Put on hold and never taken back, or taken back and still answered as held. */
export const holdNotReleased: VerdictRule = {
  id: 'D09-hold-not-released',
  title: 'Hold not released',
  meaning:
    'One side put the other on hold and did not take it back, or the resume was answered as if the hold went on: one-way audio or none.',
  kind: 'symptom',
  checks: [
    'musiconhold.conf and the music class of the channel; pjsip.conf, type=endpoint: moh_passthrough',
    'the answer to the re-INVITE: sendonly wants recvonly, sendrecv wants sendrecv',
  ],
  rfc: ['RFC 3264 8.4'],
  options: [{ option: 'moh_passthrough', object: 'endpoint' }],
  methods: ['INVITE', 'UPDATE'],
  signs: ['session-change'],
  explain(leg, context) {
    const changes = holdChanges(leg)
    const last = changes.at(-1)
    if (!last) return null
    const { transaction, offered, answered } = last
    const since = transaction.startedAtMicros
    const bye = leg.dialogs.find((dialog) => dialog.bye !== null)?.bye ?? null
    if (offered === 'sendrecv' && answered !== null && isHold(answered) && wasHeldBy(changes, last)) {
      return {
        severity: 'warning',
        side: sideOf(transaction, 'server'),
        confidence: 'medium',
        title: 'Resume answered as still on hold',
        sentence: `${nameOf(transaction, 'client')} took the call back from hold (sendrecv), and ${nameOf(transaction, 'server')} answered ${answered}: the audio does not come back in both directions.`,
        evidence: evidenceOf(transaction.request, transaction.final),
        atMicros: since,
      }
    }
    if (!isHold(offered)) return null
    const held = (bye?.startedAtMicros ?? watchedUntilMicros(leg, context.nowMicros)) - since
    // Held for a transfer: the other legs or a REFER take the call over.
    const isTransfer = context.legs.length > 2 || context.legs.some((one) => one.of('REFER').length > 0)
    const isTrouble = bye !== null && !isTransfer && held >= noticedMicros
    return {
      severity: isTrouble ? 'warning' : 'info',
      side: isTrouble ? sideOf(transaction, 'client') : 'none',
      confidence: 'medium',
      title: bye === null ? 'On hold' : 'Hold not released',
      sentence:
        `${nameOf(transaction, 'client')} put the call on hold (${offered}) and ` +
        (bye === null
          ? `has held it for ${duration(held)} so far.`
          : `did not take it back: it ended on hold ${duration(held)} later, hung up by ${nameOf(bye, 'client')}.`),
      evidence: evidenceOf(transaction.request, transaction.final, bye?.request),
      atMicros: since,
    }
  },
}

type Changes = ReturnType<typeof holdChanges>

/** True when the same side that resumes had put the call on hold before: then the answer should be sendrecv again. */
function wasHeldBy(changes: Changes, resume: Changes[number]): boolean {
  const tag = resume.transaction.request?.message.message.from.tag
  const before = changes.slice(0, -1)
  const byOther = before.findLast(({ transaction }) => transaction.request?.message.message.from.tag !== tag)
  if (byOther && isHold(byOther.offered)) return false
  return before.some(
    ({ transaction, offered }) => transaction.request?.message.message.from.tag === tag && isHold(offered),
  )
}
