import { challengesOf, credentialsOf, type Digest } from './challenge.ts'
import type { VerdictContext } from './finding.ts'
import { challengePatienceMicros, isChallenge, statusOf, type Leg } from './leg.ts'
import { rememberOfLeg } from './remember.ts'
import type { Sighting } from './sightings.ts'
import type { Transaction } from './transaction.ts'

/** How a login stands: the tries with and without credentials since the last success. */
export interface LoginState {
  readonly method: string
  /** Tries whose credentials were refused for what they say, not for an old nonce. */
  readonly refused: readonly RefusedTry[]
  /** Tries whose answer calls their nonce too old (`stale=true`). */
  readonly stale: readonly Transaction[]
  /** Tries without credentials that were challenged. */
  readonly challenged: readonly Transaction[]
  readonly last: Transaction
  readonly lastAnswer: Sighting
  /** True when the client had its time to answer the last challenge and did not, or came back without credentials. */
  readonly isAbandoned: boolean
}

export interface RefusedTry {
  readonly transaction: Transaction
  readonly answer: Sighting
  readonly credentials: Digest
  /** True when the credentials answer the challenge before them: then only their content can be wrong. */
  readonly isFresh: boolean
}

/** The methods that open something and are challenged for it. In-dialog requests are challenged too, but then the call
 *  itself was let in. */
const methods = ['REGISTER', 'INVITE', 'SUBSCRIBE', 'MESSAGE', 'PUBLISH', 'OPTIONS', 'REFER'] as const

/** The login that the leg ends in, or null when the last try was not challenged: a 401 that was answered with the right
 *  credentials is no event. */
export function loginState(leg: Leg, context: VerdictContext): LoginState | null {
  const login = lastLogin(leg)
  if (login === null) return null
  const { isFollowed, challenged, lastAnswer } = login.waiting
  if (challenged.length > 1) return login.abandoned
  const isOverdue = context.nowMicros - lastAnswer.message.atMicros >= challengePatienceMicros
  return isOverdue && !isFollowed ? login.abandoned : login.waiting
}

interface Login extends LoginState {
  /** True when a further try began. */
  readonly isFollowed: boolean
}

/** The same login as it stands while the client has time, and after that. */
interface Logins {
  readonly waiting: Login
  readonly abandoned: Login
}

const lastLogin = rememberOfLeg((leg): Logins | null => {
  for (const method of methods) {
    const all = leg.of(method)
    if (all.length === 0) continue
    const latest = all.findLast((one) => one.final !== null && (one.isInitial || method === 'REGISTER'))
    if (!latest || !isChallenge(statusOf(latest.final))) continue
    if (isContinued(leg, latest)) continue
    const tries = method === 'REGISTER' ? all : all.filter(({ isInitial }) => isInitial)
    const done = tries.filter(({ final }) => final !== null)
    const last = done.at(-1)
    if (last?.final && isChallenge(statusOf(last.final)))
      return describe(method, tries, done, last, last.final)
  }
  return null
})

/** True when what came later proves that the login went on, although its request was not seen. */
function isContinued(leg: Leg, { method, cseq }: Transaction): boolean {
  if (method === 'INVITE' && leg.dialogs.some((dialog) => dialog.state !== 'early')) return true
  return leg.of(method).some((one) => one.request === null && (one.cseq ?? 0) > (cseq ?? 0))
}

function describe(
  method: string,
  tries: readonly Transaction[],
  done: readonly Transaction[],
  last: Transaction,
  lastAnswer: Sighting,
): Logins {
  const lastSuccess = done.findLastIndex(({ final }) => !isChallenge(statusOf(final)))
  const refused: RefusedTry[] = []
  const stale: Transaction[] = []
  const challenged: Transaction[] = []
  let offeredNonces = new Set<string>()
  for (const [index, transaction] of done.entries()) {
    const { request, final } = transaction
    const challenges = final === null ? [] : challengesOf(final.message.message)
    if (index > lastSuccess && request !== null && final !== null) {
      const credentials = answering(credentialsOf(request.message.message), challenges)
      if (credentials === undefined) challenged.push(transaction)
      else if (challenges.some(({ isStale }) => isStale)) stale.push(transaction)
      else
        refused.push({
          transaction,
          answer: final,
          credentials,
          isFresh: offeredNonces.has(credentials.nonce),
        })
    }
    if (challenges.length > 0) offeredNonces = new Set(challenges.map(({ nonce }) => nonce))
  }
  const isFollowed = tries.some(({ startedAtMicros }) => startedAtMicros > lastAnswer.message.atMicros)
  const waiting = { method, refused, stale, challenged, last, lastAnswer, isFollowed, isAbandoned: false }
  return { waiting, abandoned: { ...waiting, isAbandoned: true } }
}

/** The credentials meant for one of the challenges; a realm that differs only in letter case is still meant. */
function answering(credentials: readonly Digest[], challenges: readonly Digest[]): Digest | undefined {
  const realms = new Set(challenges.map(({ realm }) => realm.toLowerCase()))
  return credentials.find(({ realm }) => realms.has(realm.toLowerCase()))
}
