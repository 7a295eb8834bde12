import type { VerdictRule } from '../finding.ts'
import { onFirstHop, type Transaction } from '../transaction.ts'
import { evidenceOf, isUs, nameOf, times } from '../wording.ts'

/** Fewer repetitions after the first answer may be packets that crossed, or one that got lost. */
const repetitionsThatTell = 3

function repeatedInVain({ requests, responses, acks, requestCount }: Transaction): number {
  if (requestCount <= repetitionsThatTell) return 0
  const [answer] = responses
  if (answer === undefined || acks.length > 0) return 0
  return onFirstHop(requests).filter(({ message }) => message.atMicros > answer.message.atMicros).length
}

/** Answers are sent, and the same request comes again and again. */
export const responsesNotReceived: VerdictRule = {
  id: 'N04-responses-not-received',
  title: 'Answers do not arrive',
  meaning: 'The request is answered and still comes again and again: the answers are lost on the way back.',
  kind: 'symptom',
  checks: [
    'the way back: asymmetric routes, a second address of this machine, policy routing',
    'pjsip.conf, type=transport: bind to the address that the requests are sent to',
    'a firewall or SIP ALG on the way back',
  ],
  rfc: ['RFC 3261 17.2.1', 'RFC 3261 18.2.2'],
  options: [{ option: 'bind', object: 'transport' }],
  leadsTo: ['A02-no-ack', 'A03-ended-at-timer-h'],
  signs: ['repetition'],
  explain({ transactions }) {
    const lost = transactions.findLast((one) => repeatedInVain(one) >= repetitionsThatTell)
    const [answer] = lost?.responses ?? []
    if (!lost || !answer) return null
    return {
      severity: 'warning',
      side: 'network',
      confidence: 'high',
      sentence:
        `${nameOf(lost, 'server')} answered the ${lost.method} of ${nameOf(lost, 'client')}, and it came again ` +
        `${times(repeatedInVain(lost))} all the same: the answers do not arrive there.`,
      evidence: evidenceOf(lost.request, answer, lost.requests.at(-1)),
      ...(!isUs(lost, 'server') && {
        checks: [
          'a local firewall between the capture and the program that asked',
          'the way back: routes, a second address, a SIP ALG',
        ],
        options: [],
      }),
      atMicros: answer.message.atMicros,
    }
  },
}
