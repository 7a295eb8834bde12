import { refusalRule, type RefusalMeaning } from '../refusal.ts'

const meaning: RefusalMeaning = {
  why: ({ request }) => {
    const left = Number(request?.message.message.header('max-forwards') ?? Number.NaN)
    const seen = Number.isInteger(left) ? ` (Max-Forwards was ${left} here)` : ''
    return `it passed too many hops${seen}, most likely in a circle between two systems`
  },
  checks: [
    'a loop between two dialplans: each sends the number to the other',
    'the Via list and History-Info of the INVITE show what it passed',
  ],
}

/** 483. */
export const tooManyHops = refusalRule({
  id: 'F17-too-many-hops',
  title: 'Too many hops',
  meaning: 'Max-Forwards ran out: most likely the request goes round between two systems.',
  codes: new Map([[483, 'RFC 3261 21.4.21']]),
  rfc: ['RFC 3261 16.3'],
  us: meaning,
  peer: meaning,
})
