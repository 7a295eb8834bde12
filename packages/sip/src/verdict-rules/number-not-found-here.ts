import { refusalRule } from '../refusal.ts'
import { calledNumber } from '../wording.ts'

/** 404 from Asterisk itself. */
export const numberNotFoundHere = refusalRule({
  id: 'F01-number-not-found-here',
  title: 'No such extension in Asterisk',
  meaning:
    "Asterisk has no such extension in the context of the caller's endpoint, or the extension dials something that is not there.",
  codes: new Map([[404, 'RFC 3261 21.4.5']]),
  titleOf: (transaction) => `Number not found: ${calledNumber(transaction)}`,
  us: {
    // A call that never came to the dialplan has no cause of a channel.
    why: (transaction, final) =>
      (final.message.message.header('reason') ?? '').startsWith('Q.850')
        ? `the dialplan took the call for ${calledNumber(transaction)} and found nothing behind it`
        : `the context of the caller's endpoint has no extension ${calledNumber(transaction)}`,
    checks: [
      'pjsip.conf, type=endpoint: context',
      'the dialplan of that context: "dialplan show", patterns, a leading + or prefix',
      'where the extension dials: does that endpoint exist, and has it a contact? "pjsip show endpoints"',
    ],
    options: [{ option: 'context', object: 'endpoint' }],
  },
})
