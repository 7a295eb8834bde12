import { errorBody } from '@sip-capture/contract/rest/page.ts'
import { rulesAnswer, type RuleView } from '@sip-capture/contract/rest/rule.ts'
import { verdictRules } from '@sip-capture/sip/verdict-rules.ts'
import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod'

const rules = verdictRules.map(
  ({ id, title, meaning, kind, checks, rfc, options = [], leadsTo = [] }): RuleView => ({
    id,
    title,
    meaning,
    kind,
    checks: [...checks],
    rfc: [...rfc],
    options: options.map(({ option, object }) => ({ option, object })),
    leadsTo: [...leadsTo],
  }),
)

export const ruleRoutes: FastifyPluginCallbackZod = (app, _options, done) => {
  app.get(
    '/rules',
    {
      schema: {
        summary: 'Every verdict rule with its meaning, checks, RFC sections and options',
        description: 'The calls that have one: GET /calls?verdict={id}.',
        response: { 200: rulesAnswer, 401: errorBody, 403: errorBody },
      },
    },
    () => ({ items: rules }),
  )
  done()
}
