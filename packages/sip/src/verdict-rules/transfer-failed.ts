import type { VerdictRule } from '../finding.ts'
import { isChallenge, isSuccess, statusOf, transactionTimeoutMicros, type Leg } from '../leg.ts'
import { toPrintable } from '../printable.ts'
import { nameAddressUri } from '../name-address.ts'
import type { Sighting } from '../sightings.ts'
import type { Transaction } from '../transaction.ts'
import { answerText, evidenceOf, nameOf, sideOf } from '../wording.ts'

/** The status line in the body of a NOTIFY (RFC 3515 2.4.4); null when it has none. */
function fragmentStatus(notify: Transaction): { status: number; line: string } | null {
  const message = notify.request?.message.message
  if (!message || !(message.header('content-type') ?? '').toLowerCase().startsWith('message/sipfrag'))
    return null
  const text = new TextDecoder().decode(message.body.subarray(0, 200))
  const match = /^SIP\/2\.0 (\d{3})[^\r\n]*/.exec(text.trimStart())
  return match ? { status: Number(match[1]), line: toPrintable(match[0].slice(8), 60) } : null
}

function notifications(leg: Leg, refer: Transaction): Transaction[] {
  return leg.of('NOTIFY').filter(({ startedAtMicros }) => startedAtMicros >= refer.startedAtMicros)
}

function target(refer: Transaction): string {
  const value = refer.request?.message.message.header('refer-to') ?? ''
  return toPrintable(nameAddressUri(value).split('?')[0] ?? '', 80) || 'its target'
}

/** A REFER that is refused, or whose call fails. */
export const transferFailed: VerdictRule = {
  id: 'D10-transfer-failed',
  title: 'Transfer failed',
  meaning: 'A REFER was refused, or the call it asked for failed, or nobody told how it went.',
  kind: 'symptom',
  checks: [
    'pjsip.conf, type=endpoint: allow_transfer',
    'the channel variable TRANSFER_CONTEXT: is there such an extension in that context?',
    'with Replaces: does the call that is to be replaced still exist?',
  ],
  rfc: ['RFC 3515', 'RFC 3891'],
  options: [
    { option: 'allow_transfer', object: 'endpoint' },
    { option: 'context', object: 'endpoint' },
  ],
  methods: ['REFER'],
  explain(leg, context) {
    const refer = leg.of('REFER').at(-1)
    if (!refer?.request || !refer.final) return null
    const client = nameOf(refer, 'client')
    const server = nameOf(refer, 'server')
    const status = statusOf(refer.final)
    const failed = (sentence: string, ...evidence: (Sighting | null | undefined)[]) =>
      ({
        severity: 'error',
        side: sideOf(refer, 'server'),
        confidence: 'high',
        sentence,
        evidence: evidenceOf(refer.request, refer.final, ...evidence),
        atMicros: refer.startedAtMicros,
      }) as const
    if (status >= 300 && !isChallenge(status))
      return failed(
        `${server} refused the transfer to ${target(refer)} that ${client} asked for: ${answerText(refer.final)}.`,
      )
    if (!isSuccess(status)) return null
    const told = notifications(leg, refer)
    const last = told.findLast((one) => fragmentStatus(one) !== null)
    const result = last ? fragmentStatus(last) : null
    if (result !== null && result.status >= 300)
      return failed(
        `${client} asked ${server} to transfer the call to ${target(refer)}, and that failed: ${result.line}.`,
        last?.request,
      )
    const isSilent =
      refer.request.message.message.header('refer-sub')?.toLowerCase() === 'false' ||
      refer.final.message.message.header('refer-sub')?.toLowerCase() === 'false'
    const isOver = context.nowMicros - refer.final.message.atMicros >= transactionTimeoutMicros
    const isEnded = leg.dialogs.some(({ bye }) => bye !== null)
    if (told.length > 0 || isSilent || !isOver || isEnded || leg.isImported) return null
    return {
      ...failed(
        `${server} took the transfer to ${target(refer)} that ${client} asked for, and no NOTIFY told how it went.`,
      ),
      severity: 'warning',
      confidence: 'medium',
      title: 'No word about the transfer',
      absentSinceMicros: refer.final.message.atMicros,
    }
  },
}
