import { wantedOption, type WantedOption } from '@sip-capture/contract/bus/option-request.ts'
import { readCall, type CallAnalysis } from '@sip-capture/sip/call.ts'
import type { CurrentOption, Finding, MediaReport } from '@sip-capture/sip/finding.ts'
import { toObservedMessage, type MessageView } from '../ingest/message-row.ts'
import type { OptionValues } from './option-values.ts'

/** Which node's bridge knows an endpoint of exactly this name: `node` itself if it does, else the only one that does. */
export type FindNode = (endpoint: string, node: string) => string | undefined

export interface JudgedCall extends CallAnalysis {
  /** Why some of the options' current values are not told; undefined when none is missing. */
  readonly optionsProblem: string | undefined
}

/** More endpoints than this on one call are not asked for. */
const maxEndpoints = 8

/** Judges a call, asks the PBX for the options that the findings name, and judges it again with what they are set to. */
export async function judgeCall(
  views: readonly MessageView[],
  context: {
    nowMicros: number
    media: readonly MediaReport[]
    optionValues: OptionValues
    findNode: FindNode
  },
): Promise<JudgedCall> {
  const { nowMicros, media, optionValues, findNode } = context
  const call = readCall(views.map(toObservedMessage).filter((message) => message !== undefined))
  const first = call.analyse({ nowMicros, media })
  const wanted = wantedByEndpoint(first.findings)
  const problems = new Set<string>()
  const currentOptions = (
    await Promise.all(
      [...wanted].slice(0, maxEndpoints).map(async ([endpoint, options]): Promise<CurrentOption[]> => {
        const seenAt = views.find(({ row }) => row.trunk === endpoint && row.capture === null)?.row.node
        const node = seenAt === undefined ? undefined : findNode(endpoint, seenAt)
        // A name of the user's own, an endpoint that is gone, a call of a file: nobody to ask.
        if (node === undefined) return []
        const { values, problem } = await optionValues.ask(node, endpoint, options)
        if (problem !== '') problems.add(problem)
        return values.map((value) => ({ endpoint, ...value }))
      }),
    )
  ).flat()
  const judged = currentOptions.length === 0 ? first : call.analyse({ nowMicros, media, currentOptions })
  return { ...judged, optionsProblem: problems.size === 0 ? undefined : [...problems].join('; ') }
}

/** The options of all findings, by endpoint. */
function wantedByEndpoint(findings: readonly Finding[]): Map<string, WantedOption[]> {
  const byEndpoint = new Map<string, Map<string, WantedOption>>()
  for (const { endpoint, object, option } of findings.flatMap(({ options }) => options)) {
    if (endpoint === undefined || !wantedOption.safeParse({ object, option }).success) continue
    const wanted = byEndpoint.get(endpoint) ?? new Map<string, WantedOption>()
    if (wanted.size < 64) wanted.set(`${object} ${option}`, { object, option })
    byEndpoint.set(endpoint, wanted)
  }
  return new Map([...byEndpoint].map(([endpoint, wanted]) => [endpoint, [...wanted.values()]]))
}
