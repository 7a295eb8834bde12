import type { Steps } from '@sip-capture/infra/sipp/lab/callers.ts'

/** Where the two far sides of one entry of the laboratory stand. */
export interface Place {
  /** Name of the entry: the endpoint of the caller and its context; `<name>-trunk` is that of the called side. */
  readonly name: string
  /** As Asterisk sees it. */
  readonly callerAddress: string
  /** Where the caller really is; differs behind a NAT. */
  readonly phoneAddress: string
  readonly calledAddress: string
}

/** Lines for sections of pjsip.conf beside what each entry has anyway. */
export interface Settings {
  readonly endpoint?: string
  readonly aor?: string
  /** Of a section `type=auth`; with it the caller has to log in. */
  readonly auth?: string
  readonly trunk?: string
  readonly trunkAor?: string
  readonly trunkAuth?: string
  /** Of a section `type=registration` at the called side; loaded when that side is there. */
  readonly registration?: string
  /** True: the access list of all PJSIP has the caller's address. */
  readonly isDenied?: boolean
  /** False: the caller's address is nobody's. */
  readonly isIdentified?: boolean
}

/** One fault of the laboratory, or one call that is well: what is done, by whom, with which settings, and what the verdict
 *  on what Asterisk really did has to be. */
export interface Entry {
  readonly name: string
  /** Steps of SIPp: who calls or registers, and whom Asterisk calls. */
  readonly caller?: Steps
  readonly called?: Steps
  readonly settings?: Settings
  /** What the caller asks for; `100` when left out, the entry's name when it registers. */
  readonly number?: string
  readonly password?: string
  /** Lines of the caller's context. Left out: 100 calls the called side for `dialSeconds`. */
  readonly dialplan?: string
  readonly dialSeconds?: number
  readonly transport?: 'udp' | 'tcp'
  /** True: the caller is behind a router with NAT (`nat.ts`), and calls Asterisk from there. */
  readonly isBehindNat?: boolean
  /** True: the caller speaks plain SIP over TCP to the port where Asterisk wants TLS. */
  readonly isPlainAtTls?: boolean
  /** True: Asterisk calls over TLS, and the far side has a certificate that Asterisk does not trust. */
  readonly isCalledOverTls?: boolean
  /** Given to Asterisk's CLI when both sides are there. */
  readonly command?: string
  /** True when it lasts as long as Timer B, F or H: these are started first. */
  readonly isLong?: boolean
}

export interface Fault extends Entry {
  /** Id of the rule that has to come first. */
  readonly rule: string
  /** Rules that are right too, at warning or above. */
  readonly also?: readonly string[]
}
