import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { createLogger } from '@sip-capture/service/logger.ts'
import type { AmiBlock } from '../../src/ami/block.ts'
import { createAmiConnection } from '../../src/ami/connection.ts'
import { retryMillis } from '../../src/ami/failure.ts'
import { until } from '../running-bridge.ts'
import { accept, type AmiScript, startAmiServer } from './ami-server.ts'

const logger = createLogger({ name: 'test', level: 'silent' })

function connect(port: number, host = '127.0.0.1') {
  const events: AmiBlock[] = []
  let ups = 0
  let downs = 0
  const ami = createAmiConnection({
    settings: { host, port, username: 'user', secret: 'secret', isTls: false },
    logger,
    onEvent: (block) => void events.push(block),
    onUp: () => void (ups += 1),
    onDown: () => void (downs += 1),
  })
  return {
    ami,
    events,
    get ups() {
      return ups
    },
    get downs() {
      return downs
    },
  }
}

async function session(t: { teardown(fn: () => unknown): unknown }, script: AmiScript = {}) {
  const server = await startAmiServer(script)
  const client = connect(server.port)
  t.teardown(async () => {
    await client.ami.close()
    await server.close()
  })
  return { server, client }
}

t.test('it logs in for the needed event classes only', async (t) => {
  const { server, client } = await session(t)
  await until('it is up', () => client.ami.isUp)
  t.match(
    server.received[0],
    /^Action: Login\r\nActionID: [0-9a-f]{24}\r\nUsername: user\r\nSecret: secret\r\nEvents: call,system,security,reporting$/,
  )
})

t.test('each way of not being let in has its own sentence that names the setting', async (t) => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port: closedPort } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))

  const refused = connect(closedPort)
  await until('it failed', () => refused.ami.failure)
  t.match(refused.ami.failure, { kind: 'refused', sentence: /AMI_PORT.*enabled=yes/ })
  await refused.ami.close()

  const nameless = connect(5038, 'no-such-host.invalid')
  await until('it failed', () => nameless.ami.failure)
  t.match(nameless.ami.failure, { kind: 'unknown-host', sentence: /AMI_HOST/ })
  await nameless.ami.close()

  const cases: [string, AmiScript, RegExp][] = [
    [
      'login',
      { answer: () => 'Response: Error\r\nActionID: $ID\r\nMessage: Authentication failed\r\n\r\n' },
      /AMI_USERNAME.*AMI_SECRET.*permit/,
    ],
    [
      'not-ami',
      { banner: 'SSH-2.0-OpenSSH\u001b[31m\r\n' },
      /not an Asterisk Manager port.*SSH-2\.0.*AMI_PORT/,
    ],
    ['not-ami', { banner: `${'x'.repeat(5_000)}\r\n` }, /AMI_PORT/],
    ['rejected', { onConnect: (socket) => socket.destroy() }, /authlimit/],
  ]
  for (const [kind, script, sentence] of cases) {
    const server = await startAmiServer(script)
    const client = connect(server.port)
    await until(`${kind} failed`, () => client.ami.failure)
    t.match(client.ami.failure, { kind, sentence })
    t.notMatch(client.ami.failure?.sentence, /secret"|\p{Cc}/u, 'neither secret nor control characters')
    await client.ami.close()
    await server.close()
  }
})

t.test('a wrong secret does not hammer: pauses grow to a minute', (t) => {
  t.same(
    [0, 1, 2, 3, 4, 30].map((attempt) => retryMillis('login', attempt, () => 1)),
    [5_000, 10_000, 20_000, 40_000, 60_000, 60_000],
  )
  t.same(
    [0, 1, 2, 8, 30].map((attempt) => retryMillis('refused', attempt, () => 1)),
    [250, 500, 1_000, 5_000, 5_000],
  )
  t.ok(retryMillis('lost', 3, () => 0) < retryMillis('lost', 3, () => 1), 'jittered')
  t.end()
})

t.test('answers are matched by ActionID, lists are gathered, rights are told apart', async (t) => {
  const { client } = await session(t, {
    answer: (fields) => {
      const action = fields.get('Action')
      if (action === 'Originate')
        return 'Response: Error\r\nActionID: $ID\r\nMessage: Permission denied\r\n\r\n'
      if (action !== 'PJSIPShowEndpoints') return accept(fields)
      return 'Response: Success\r\nActionID: $ID\r\nEventList: start\r\n\r\nEvent: Other\r\nKey: x\r\n\r\nEvent: EndpointList\r\nActionID: $ID\r\nObjectName: a\r\n\r\nEvent: EndpointListComplete\r\nActionID: $ID\r\nEventList: Complete\r\n\r\n'
    },
  })
  await until('it is up', () => client.ami.isUp)
  const list = await client.ami.request('PJSIPShowEndpoints')
  t.equal(list.ok && list.events.length, 1)
  t.equal(client.events.length, 1, 'the other event went its way')
  t.match(await client.ami.request('Originate'), { ok: false, reason: 'denied' })
  t.match(await client.ami.request('Getvar', [['Channel', 'a\r\nAction: Originate']]), {
    ok: false,
    reason: 'unsendable',
  })
})

t.test('forged answers and events change nothing and are counted', async (t) => {
  const { server, client } = await session(t, {
    answer: (fields) => (fields.get('Action') === 'Getvar' ? undefined : accept(fields)),
  })
  await until('it is up', () => client.ami.isUp)
  const pending = client.ami.request('Getvar', [['Channel', 'PJSIP/a-1']])
  server.send(
    'Event: Newchannel\r\nCallerIDName: x\r\n\r\nResponse: Success\r\nActionID: 1\r\nValue: forged\r\n\r\n',
  )
  server.send('Event: Newstate\r\nChannel: PJSIP/a-1\r\nChannel: PJSIP/b-1\r\n\r\n')
  await until('both are counted', () => client.ami.counters.suspect === 2)
  t.equal(client.events.length, 1, 'the contradictory event is not handed on')
  await client.ami.close()
  t.match(await pending, { ok: false, reason: 'disconnected' }, 'the request did not take the forged answer')
})

t.test(
  'a connection that breaks in the middle of an event loses the half event and comes back',
  async (t) => {
    const { server, client } = await session(t)
    await until('it is up', () => client.ami.isUp)
    server.send('Event: Hangup\r\nChannel: PJSIP/ha')
    server.endClients()
    await until('it is up again', () => client.ups === 2)
    server.send('Event: Whole\r\nKey: value\r\n\r\n')
    await until('the next event', () => client.events.length === 1)
    t.equal(client.events[0]?.name, 'Whole')
    t.equal(client.downs, 1)
  },
)

t.test('a flood of events is taken in bounded memory, and the answers among them are found', async (t) => {
  const { server, client } = await session(t)
  await until('it is up', () => client.ami.isUp)
  const flood = 'Event: Newstate\r\nChannel: Local/x\r\nChannelState: 6\r\n\r\n'.repeat(1_000)
  for (let i = 0; i < 50; i++) server.send(flood)
  t.ok((await client.ami.request('Ping')).ok)
  await until('all have come', () => client.ami.counters.events === 50_000)
  t.equal(client.ami.counters.malformed, 0)
})
