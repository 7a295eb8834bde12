import { signal } from '@preact/signals'
import { directoryAnswer } from '@sip-capture/contract/rest/directory.ts'
import { getJson } from '../state/api-client.ts'

/** Values that exist, by field, and what some of them mean: for completion. */
export interface KnownValues {
  readonly byField: Readonly<Record<string, readonly string[]>>
  readonly meaning: ReadonlyMap<string, string>
}

const fresh = 60_000
const methods =
  'INVITE ACK BYE CANCEL REGISTER OPTIONS PRACK UPDATE INFO REFER SUBSCRIBE NOTIFY PUBLISH MESSAGE'
const codes = '4xx 5xx 6xx 2xx 3xx 1xx 401 403 404 407 408 480 481 486 487 488 491 500 502 503 504 603'
const agos = ['-15m', '-1h', '-24h', '-7d']

const always = {
  method: methods.split(' '),
  status: codes.split(' '),
  code: codes.split(' '),
  since: agos,
  until: agos,
}

export const knownValues = signal<KnownValues>({ byField: always, meaning: new Map() })

let askedAt = -fresh
let rulesAsked = false

function learn(byField: Record<string, readonly string[]>, meaning = knownValues.peek().meaning): void {
  knownValues.value = { byField: { ...knownValues.peek().byField, ...byField }, meaning }
}

/** Endpoints and trunks, asked again after a minute. Without an answer there is nothing to complete, which harms nobody. */
export async function learnEndpoints(): Promise<void> {
  if (performance.now() - askedAt < fresh) return
  askedAt = performance.now()
  const answer = await getJson('/endpoints', directoryAnswer)
  if (!answer.ok) return
  const names = (kind?: string) => [
    ...new Set(
      answer.value.items.filter((one) => kind === undefined || one.kind === kind).map(({ name }) => name),
    ),
  ]
  const nodes = [...new Set(answer.value.items.map(({ node }) => node))]
  learn({ trunk: [...new Set([...names('trunk'), ...names()])], endpoint: names(), node: nodes })
}

/** The ids of all verdict rules, with what each is about: loaded when somebody begins to type one. */
export async function learnRules(): Promise<void> {
  if (rulesAsked) return
  rulesAsked = true
  const { verdictRules } = await import('@sip-capture/sip/verdict-rules.ts')
  learn(
    { verdict: verdictRules.map(({ id }) => id) },
    new Map(verdictRules.map(({ id, title }) => [id, title])),
  )
}
