import { refusalRule, type RefusalMeaning } from '../refusal.ts'
import { calledNumber } from '../wording.ts'

const peer: RefusalMeaning = {
  why: 'it does not know this number, or not in the form it was sent',
  checks: [
    'the form of the number that Dial() was given: would E.164 (+ and country code) or another prefix be right?',
    'is the number in service, and does this trunk or device serve it?',
  ],
}

/** 404 or 604 from the far side. */
export const numberNotFound = refusalRule({
  id: 'F02-number-not-found',
  title: 'Number not found',
  meaning: 'The far side does not know the number, or not in the form it was sent.',
  codes: new Map([
    [404, 'RFC 3261 21.4.5'],
    [604, 'RFC 3261 21.6.3'],
  ]),
  titleOf: (transaction) => `Number not found: ${calledNumber(transaction)}`,
  us: peer,
  peer,
})
