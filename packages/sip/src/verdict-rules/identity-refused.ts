import { statusOf } from '../leg.ts'
import { refusalRule, type RefusalMeaning } from '../refusal.ts'

const whys: ReadonlyMap<number, string> = new Map([
  [428, 'it wants a signed caller identity (STIR/SHAKEN), and the INVITE has no Identity header'],
  [436, 'it could not fetch the certificate that the Identity header names'],
  [437, 'it does not trust the certificate of the caller identity'],
  [438, 'the signature of the caller identity is not valid'],
])

const meaning: RefusalMeaning = {
  why: (_transaction, final) => whys.get(statusOf(final)) ?? 'the caller identity was refused',
  checks: [
    'pjsip.conf, type=endpoint: stir_shaken and stir_shaken_profile',
    'stir_shaken.conf: is the certificate reachable from outside, valid and for this number?',
    'the clock of this machine: a signature is only good for a minute',
  ],
  options: [
    { option: 'stir_shaken', object: 'endpoint' },
    { option: 'stir_shaken_profile', object: 'endpoint' },
  ],
}

/** 428, 436, 437, 438. */
export const identityRefused = refusalRule({
  id: 'F20-identity-refused',
  title: 'Caller identity refused (STIR/SHAKEN)',
  meaning: 'The signed caller identity is missing, cannot be checked or is not valid.',
  codes: new Map([428, 436, 437, 438].map((code) => [code, 'RFC 8224'])),
  us: meaning,
  peer: meaning,
})
