import { randomBytes } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { optionAnswer, type OptionAnswer } from '@sip-capture/contract/bus/option-request.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { bridgeEnvironment, createBusReader, startTestBridge, until } from '../running-bridge.ts'

const pjsip = `
[nat]
type=endpoint
aors=nat
auth=nat
rtp_symmetric=no
rewrite_contact=no
outbound_auth=out
[nat]
type=auth
auth_type=userpass
username=nat-user
password=nat-secret-word
[out]
type=auth
auth_type=userpass
username=out-user
password=out-secret-word
[nat]
type=aor
max_contacts=3
qualify_frequency=0
[nat-registration]
type=registration
server_uri=sip:127.0.0.3:9
client_uri=sip:me:uri-secret-word@127.0.0.3
endpoint=nat
line=yes
outbound_auth=out
max_retries=7
[global]
type=global
keep_alive_interval=45
`

const shown = ({ values }: OptionAnswer) =>
  values.map(({ object, option, section, value }) => `${object} ${section}: ${option}=${value}`)

t.test('a real Asterisk says what the options are set to', async (t) => {
  const [pbx, redis] = await Promise.all([
    startTestPbx({ extraConf: { 'pjsip.conf': pjsip } }),
    startTestRedis(),
  ])
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
  const subscriber = bus.redis.duplicate()
  const texts: string[] = []
  await subscriber.subscribe(bus.keys.optionAnswers)
  subscriber.on('message', (_channel, text: string) => texts.push(text))
  t.teardown(async () => {
    await bridge.close()
    subscriber.disconnect()
    bus.close()
    await Promise.all([pbx.stop(), redis.stop()])
  })
  const channel = bus.keys.optionRequests('test')
  await until('the bridge listens', async () => bridge.status.state === 'up')
  await until('the bridge hears questions', async () => {
    const [, listeners] = await bus.redis.pubsub('NUMSUB', channel)
    return listeners === 1
  })
  await until('the directory is there', async () => (await bus.directories()).length > 0)

  const ask = async (endpoint: string, ...options: string[]): Promise<OptionAnswer> => {
    const id = randomBytes(16).toString('hex')
    const wanted = options.map((name) => {
      const [object, option] = name.split(' ')
      return { object, option }
    })
    t.equal(
      await bus.redis.publish(channel, JSON.stringify({ v: 1, id, endpoint, options: wanted })),
      1,
      'one bridge hears it',
    )
    const text = await until('an answer', () => texts.find((one) => one.includes(id)))
    return optionAnswer.parse(JSON.parse(text))
  }

  await t.test('of endpoint, auth, aor, transport, registration, global and system', async (t) => {
    const answer = await ask(
      'nat',
      'endpoint rtp_symmetric',
      'endpoint rewrite_contact',
      'endpoint force_rport',
      'endpoint outbound_auth',
      'endpoint 100rel',
      'aor max_contacts',
      'aor qualify_2xx_only',
      'auth username',
      'registration max_retries',
      'registration client_uri',
      'transport external_signaling_address',
      'transport bind',
      'global keep_alive_interval',
      'system timer_b',
    )
    t.equal(answer.problem, '')
    t.same(shown(answer), [
      'endpoint nat: rtp_symmetric=no',
      'endpoint nat: rewrite_contact=no',
      'endpoint nat: force_rport=yes',
      'endpoint nat: outbound_auth=out',
      'endpoint nat: 100rel=yes',
      'aor nat: max_contacts=3',
      'aor nat: qualify_2xx_only=no',
      'auth nat: username=nat-user',
      'auth out: username=out-user',
      'registration nat-registration: max_retries=7',
      'registration nat-registration: client_uri=sip:me:***@127.0.0.3',
      'transport transport-tcp: external_signaling_address=',
      'transport transport-udp: external_signaling_address=',
      `transport transport-tcp: bind=127.0.0.1:${pbx.sipPort}`,
      `transport transport-udp: bind=127.0.0.1:${pbx.sipPort}`,
      'global : keep_alive_interval=45',
      'system : timer_b=32000',
    ])
  })

  await t.test('of identify, and of an aor with a contact in the configuration', async (t) => {
    const answer = await ask('trunk', 'identify match', 'aor contact')
    t.same(shown(answer), [
      `identify trunk: match=${pbx.trunkAddress}/255.255.255.255`,
      `aor trunk: contact=trunk/sip:${pbx.trunkAddress}:${pbx.trunkPort}`,
    ])
  })

  await t.test('a secret never leaves the bridge', async (t) => {
    const answer = await ask(
      'nat',
      'auth password',
      'auth md5_cred',
      'auth password_digest',
      'auth oauth_secret',
      'auth oauth_clientid',
      'auth refresh_token',
    )
    t.same(new Set(answer.values.map(({ value }) => value)), new Set(['set', 'unset']))
    t.ok(shown(answer).includes('auth nat: password=set'))
    t.ok(shown(answer).includes('auth nat: md5_cred=unset'))
    t.notMatch(texts.join('\n'), /secret-word/, 'in no answer so far')
  })

  await t.test('a value that is changed in pjsip.conf and loaded is seen changed', async (t) => {
    const file = join(pbx.configFolder, 'pjsip.conf')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace('rtp_symmetric=no', 'rtp_symmetric=yes'))
    await pbx.cli('module reload res_pjsip.so')
    const answer = await until('yes', async () => {
      const said = await ask('nat', 'endpoint rtp_symmetric')
      return said.values[0]?.value === 'yes' && said
    })
    t.same(shown(answer), ['endpoint nat: rtp_symmetric=yes'])
  })

  await t.test(
    'only names that Asterisk listed are asked for; nothing can start another action',
    async (t) => {
      t.match(await ask('nobody', 'endpoint rtp_symmetric'), {
        values: [],
        problem: 'Asterisk lists no endpoint of that name',
      })
      t.match((await ask('NAT', 'endpoint rtp_symmetric')).values, [], 'exactly that name')
      const forged = JSON.stringify({
        v: 1,
        id: '0'.repeat(32),
        endpoint: 'nat\r\n\r\nAction: Command\r\nCommand: core stop now',
        options: [{ object: 'endpoint', option: 'rtp_symmetric' }],
      })
      const refused = bridge.status.counters['option_requests_refused'] ?? 0
      for (const text of [forged, 'no JSON', '{}', '"'.repeat(70_000)]) await bus.redis.publish(channel, text)
      await until('refused', () => bridge.status.counters['option_requests_refused'] === refused + 4)
      t.equal((await ask('nat', 'endpoint rtp_symmetric')).values.length, 1, 'and Asterisk goes on')
      t.notOk(texts.some((text) => text.includes('0'.repeat(32))))
    },
  )

  await t.test('a right that is missing is named', async (t) => {
    const file = join(pbx.configFolder, 'manager.conf')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replace(/^write = .*$/m, 'write = reporting,system'))
    await pbx.restart()
    const answer = await until('an answer without the command right', async () => {
      const said = await ask('nat', 'endpoint rtp_symmetric', 'transport bind')
      return said.values.length > 0 && said
    })
    t.same(shown(answer), ['endpoint nat: rtp_symmetric=yes'])
    t.match(answer.problem, /write=system,command in manager\.conf/)
  })
})
