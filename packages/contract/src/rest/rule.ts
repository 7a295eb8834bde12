import { z } from 'zod'
import { pjsipObject } from '../bus/option-request.ts'

/** A verdict rule as its module has it: what it means in general. What it says of one call is a finding. */
export const ruleView = z.object({
  /** `R02-auth-wrong-password`: what `verdict:` searches for. */
  id: z.string(),
  title: z.string(),
  meaning: z.string(),
  /** `outcome`: how a leg ended or stands, only one of them is told. `symptom`: holds beside others. */
  kind: z.enum(['outcome', 'symptom']),
  checks: z.array(z.string()),
  rfc: z.array(z.string()),
  /** Options of pjsip.conf that the checks are about. */
  options: z.array(z.object({ option: z.string(), object: pjsipObject })),
  /** Ids of rules whose trouble this one explains: it is told before them. */
  leadsTo: z.array(z.string()),
})
export type RuleView = z.infer<typeof ruleView>

/** In the order in which they are tried: the specific before the generic. */
export const rulesAnswer = z.object({ items: z.array(ruleView) })
