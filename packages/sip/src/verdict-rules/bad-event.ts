import type { VerdictRule } from '../finding.ts'
import { statusOf } from '../leg.ts'
import { toPrintable } from '../printable.ts'
import { evidenceOf, nameOf, sideOf } from '../wording.ts'

/** 489 to SUBSCRIBE or PUBLISH. */
export const badEvent: VerdictRule = {
  id: 'F22-event-not-supported',
  title: 'Event package not supported',
  meaning: 'A device asked for an event package that the other side does not have. Mostly harmless.',
  kind: 'symptom',
  checks: [
    'the modules for it: res_pjsip_pubsub, res_pjsip_exten_state, res_pjsip_mwi',
    'switch the feature off in the device',
  ],
  rfc: ['RFC 6665'],
  methods: ['SUBSCRIBE', 'PUBLISH'],
  explain(leg) {
    const refused = [...leg.of('SUBSCRIBE'), ...leg.of('PUBLISH')].findLast(
      ({ final }) => statusOf(final) === 489,
    )
    if (!refused?.final) return null
    const event = toPrintable(refused.request?.message.message.header('event') ?? '', 40) || 'that event'
    return {
      severity: 'info',
      side: sideOf(refused, 'server'),
      confidence: 'high',
      sentence: `${nameOf(refused, 'server')} does not support the event package "${event}" that ${nameOf(refused, 'client')} asked for with ${refused.method}.`,
      evidence: evidenceOf(refused.request, refused.final),
      atMicros: refused.final.message.atMicros,
    }
  },
}
