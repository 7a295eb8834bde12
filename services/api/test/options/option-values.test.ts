import t from 'tap'
import { optionRequest, type OptionRequest } from '@sip-capture/contract/bus/option-request.ts'
import { createLogger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { createOptionValues } from '../../src/options/option-values.ts'
import { keys, startRedis, until } from '../api-under-test.ts'

const wanted = [{ object: 'endpoint', option: 'rtp_symmetric' }] as const

const silence = () => undefined

/** Said of a bridge on a machine that is too busy at this moment: ask again. */
const tooLate = 'the bridge of pbx1 did not answer within 1 s'

const answer = (request: OptionRequest, value: string, node = 'pbx1') => ({
  v: 1,
  id: request.id,
  node,
  endpoint: request.endpoint,
  atMicros: 1,
  values: [{ ...wanted[0], section: request.endpoint, value }],
  problem: '',
})

t.test('what the API asks a bridge over a real Redis', async (t) => {
  const { client, url } = await startRedis(t)
  const logger = createLogger({ name: 'api', level: 'silent' })
  const values = createOptionValues({
    redis: client,
    subscriber: createRedis({ REDIS_URL: url, NODE_NAME: 'test' }, { purpose: 'subscribe', logger }),
    keys,
  })
  const bridge = client.duplicate()
  const requests: OptionRequest[] = []
  let answerTo: (request: OptionRequest) => unknown = silence
  bridge.on('message', (_channel, text: string) => {
    const request = optionRequest.parse(JSON.parse(text))
    requests.push(request)
    const answer = answerTo(request)
    if (answer !== undefined) void client.publish(keys.optionAnswers, JSON.stringify(answer))
  })
  t.teardown(async () => {
    values.close()
    bridge.disconnect()
  })
  await t.test('no bridge of that node: said at once', async (t) => {
    const reply = await until(
      () => values.ask('pbx1', `e${Math.random()}`, wanted),
      ({ problem }) => problem !== 'Redis does not answer',
    )
    t.same(reply, { values: [], problem: 'no bridge of pbx1 is running' })
  })

  await bridge.subscribe(keys.optionRequests('pbx1'))

  await t.test('the answer with the id of the question, of that node and endpoint', async (t) => {
    answerTo = (request) => {
      void client.publish(keys.optionAnswers, 'no JSON')
      void client.publish(keys.optionAnswers, JSON.stringify(answer(request, 'forged', 'pbx2')))
      void client.publish(keys.optionAnswers, JSON.stringify({ ...answer(request, 'x'), id: '0'.repeat(32) }))
      return answer(request, 'no')
    }
    const reply = await until(
      () => values.ask('pbx1', `acme-${requests.length}`, wanted),
      ({ problem }) => problem !== tooLate,
    )
    t.match(reply, { values: [{ option: 'rtp_symmetric', section: /^acme-/, value: 'no' }], problem: '' })
  })

  await t.test('browsers that ask for the same together cost one question', async (t) => {
    let before = 0
    const replies = await until(
      () => {
        before = requests.length
        return Promise.all(Array.from({ length: 20 }, () => values.ask('pbx1', `together-${before}`, wanted)))
      },
      (all) => all.every(({ problem }) => problem !== tooLate),
    )
    t.ok(replies.every(({ values: [first] }) => first?.value === 'no'))
    t.equal(requests.length, before + 1)
  })

  await t.test('a bridge that does not answer: unknown, not waited for longer than a second', async (t) => {
    answerTo = silence
    const reply = await values.ask('pbx1', 'silent', wanted)
    t.same(reply, { values: [], problem: tooLate })
  })

  await t.test('more than 64 questions at a time are not asked', async (t) => {
    const replies = await Promise.all(
      Array.from({ length: 70 }, (_, index) => values.ask('pbx1', `many-${index}`, wanted)),
    )
    const refused = replies.filter(({ problem }) => problem === 'too many questions wait for the bridge')
    t.equal(refused.length, 6)
  })
})
