import { refusalRule } from '../refusal.ts'

/** 484: too few digits. */
export const addressIncomplete = refusalRule({
  id: 'F03-address-incomplete',
  title: 'Number incomplete',
  meaning: 'The number is too short, or the digits are meant to come one by one (overlap dialling).',
  codes: new Map([[484, 'RFC 3261 21.4.22']]),
  us: {
    why: 'the number may be the beginning of a longer extension, and more digits are needed',
    checks: [
      'the dial pattern of that context: is it meant to match with "." or "!"?',
      'pjsip.conf, type=endpoint: allow_overlap=no, if nobody dials digit by digit',
    ],
    options: [{ option: 'allow_overlap', object: 'endpoint' }],
  },
  peer: {
    why: 'the number is too short for it',
    checks: ['the digits that Dial() sent: is a prefix missing, or was one cut off too many?'],
  },
})
