import { refusalRule } from '../refusal.ts'

const meaning = {
  why: 'the number is no longer there',
  checks: ['the number itself: was it changed or ported?', 'the route to it in the dialplan'],
}

/** 410. */
export const gone = refusalRule({
  id: 'F11-number-gone',
  title: 'Number no longer in service',
  meaning: 'The number existed and does not any more, and no new one is known.',
  codes: new Map([[410, 'RFC 3261 21.4.10']]),
  us: meaning,
  peer: meaning,
})
