import { refusalRule } from '../refusal.ts'
import { calledNumber } from '../wording.ts'

const checks = [
  'if nobody is on the phone: do-not-disturb, and how many lines the device has',
  'pjsip.conf, type=endpoint: device_state_busy_at; call limits in the dialplan (GROUP_COUNT)',
]

/** 486 or 600. */
export const busy = refusalRule({
  id: 'F08-busy',
  title: 'Busy',
  meaning: 'The called side is on the phone, has do-not-disturb set or has reached its limit of calls.',
  codes: new Map([
    [486, 'RFC 3261 21.4.24'],
    [600, 'RFC 3261 21.6.1'],
  ]),
  severity: 'info',
  side: 'user',
  titleOf: (transaction) => `Busy: ${calledNumber(transaction)}`,
  us: {
    why: 'the called side is busy',
    checks,
    options: [{ option: 'device_state_busy_at', object: 'endpoint' }],
  },
  peer: {
    why: 'the called side is busy',
    checks,
    options: [{ option: 'device_state_busy_at', object: 'endpoint' }],
  },
})
