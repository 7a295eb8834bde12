import t from 'tap'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { goodCallComparison } from '@sip-capture/contract/rest/comparison.ts'
import { rulesAnswer } from '@sip-capture/contract/rest/rule.ts'
import { verdictRules } from '@sip-capture/sip/verdict-rules.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { callMessages, second, trunkHost, type CallScript } from '../calls/call-messages.ts'

const start = (Math.floor(Date.now() / 1000) - 7200) * second
const directory: EndpointDirectory = {
  v: 1,
  node: 'pbx1',
  atMicros: start,
  ownAddresses: [],
  endpoints: [
    {
      name: 'acme',
      deviceState: '',
      addresses: [trunkHost],
      matches: [],
      isTrunk: true,
      contacts: [],
      registrations: [],
    },
  ],
}
const answered = { ringing: 400, final: [2000, 200, 'OK'], bye: 30_000 } as const
const refused = { final: [900, 404, 'Not Found'] } as const

t.test('a bad call beside a good one, and the rules', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  await publish(client, keys.endpoints, [directory])
  let minute = 0
  let sent = 0
  const call = async (callId: string, script: Partial<CallScript>) => {
    const records = callMessages({ callId, startMicros: start + minute++ * 60 * second, ...script })
    sent += records.length
    await publish(client, keys.trafficLog, records)
  }
  const get = async (callId: string) => {
    const response = await api.app.inject(`/api/v1/calls/${encodeURIComponent(callId)}/good`)
    return { status: response.statusCode, body: response.json<unknown>() }
  }
  const compared = async (callId: string) => goodCallComparison.parse((await get(callId)).body)

  // The history learns the trunk's name a moment after the bridge has told it.
  let tries = 0
  await until(
    async () => {
      await call(`first-${tries++}`, { leg: 'trunk', from: '300', to: '555', ...answered })
      const { body } = await api.get('/api/v1/messages?trunk=acme')
      return body.items.length
    },
    (count) => count > 0,
  )
  await call('pair-older', { from: '100', to: '200', ...answered })
  await call('pair-good', { from: '100', to: '200', ...answered })
  await call('part-of-the-number', { from: '1001', to: '2002', ...answered })
  await call('pair-bad', { from: '100', to: '200', ...refused })
  await call('called-bad', { from: '999', to: '200', ...refused })
  await call('trunk-bad', { leg: 'trunk', from: '300', to: '666', ...refused })
  await call('pair-later', { from: '100', to: '200', ...answered })
  await call('lonely', { from: '7', to: '8', ...refused })
  await until(
    async () => (await api.app.inject('/api/v1/calls?limit=1000')).json<{ items: unknown[] }>().items.length,
    (count) => count === minute,
  )
  t.equal(
    await until(
      () => api.history.status.counters['stored'],
      (stored) => stored === sent,
    ),
    sent,
  )

  await t.test('the last good one of the pair before it, with what differs', async (t) => {
    const { good, chosenBy, sentence, differences } = await compared('pair-bad')
    t.same(good?.callIds, ['pair-good'])
    t.equal(chosenBy, 'pair')
    t.equal(sentence, 'The last good call from 100 to 200 before this one.')
    t.match(
      differences.find(({ what }) => what === 'Final answer'),
      { aspect: 'outcome', leg: 1, bad: '404 Not Found', good: '200 OK' },
    )
    t.notOk(differences.some(({ what }) => /branch|tag/i.test(what)))
  })

  await t.test('else to the same number, else over the same trunk, else none', async (t) => {
    t.match(await compared('called-bad'), { chosenBy: 'called', good: { callIds: ['pair-good'] } })
    const trunk = await compared('trunk-bad')
    t.match(trunk, { chosenBy: 'trunk', sentence: 'The last good call over acme before this one.' })
    t.match(trunk.good?.to.number, '555')
    t.same(
      (({ good, chosenBy, differences }) => ({ good, chosenBy, differences }))(await compared('lonely')),
      { good: null, chosenBy: null, differences: [] },
    )
  })

  await t.test('by our own id as well; an unknown call is none', async (t) => {
    const { call: bad } = await compared('pair-bad')
    t.match(await compared(bad.id), { chosenBy: 'pair' })
    t.equal((await get('nobody')).status, 404)
  })

  await t.test('every rule is listed as its module has it, and finds its calls', async (t) => {
    const { items } = rulesAnswer.parse((await api.app.inject('/api/v1/rules')).json())
    t.same(
      items.map(({ id, title, meaning }) => [id, title, meaning]),
      verdictRules.map(({ id, title, meaning }) => [id, title, meaning]),
    )
    t.ok(items.every(({ id, meaning }) => /^[A-Z]\d\d-[a-z-0-9]+$/.test(id) && meaning.length > 20))
    const { call: bad } = await compared('pair-bad')
    const q = encodeURIComponent(`verdict:${bad.verdict?.ruleId}`)
    const found = (await api.app.inject(`/api/v1/calls?q=${q}`)).json<{ items: { callIds: string[] }[] }>()
    t.ok(found.items.some(({ callIds }) => callIds[0] === 'pair-bad'))
    t.notOk(found.items.some(({ callIds }) => callIds[0] === 'pair-good'))
  })
})
