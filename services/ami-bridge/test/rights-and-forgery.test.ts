import t from 'tap'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { startTestRedis } from '@sip-capture/testing/test-redis.ts'
import { createOwnAddresses } from '../src/own-addresses.ts'
import { describeRights } from '../src/ami/rights.ts'
import { accept, startAmiServer } from './ami/ami-server.ts'
import { bridgeEnvironment, createBusReader, startTestBridge, until } from './running-bridge.ts'

const reply = (lines: string) => `Response: Success\r\nActionID: $ID\r\n${lines}\r\n\r\n`

t.test(
  'a user without the right to run commands, and one with all: both are said, nothing crashes',
  async (t) => {
    const redis = await startTestRedis()
    const pbx = await startTestPbx({
      extraConf: {
        'manager.conf':
          '[poor]\nsecret=poor\nread=call\nwrite=reporting\n[rich]\nsecret=rich\nread=all\nwrite=all\n[barred]\nsecret=barred\ndeny=0.0.0.0/0.0.0.0\nread=call\nwrite=call\n',
      },
    })
    t.teardown(() => Promise.all([pbx.stop(), redis.stop()]))
    const as = (user: string) =>
      startTestBridge(
        bridgeEnvironment(pbx, redis.url, { NODE_NAME: user, AMI_USERNAME: user, AMI_SECRET: user }),
      )

    const poor = await as('poor')
    t.teardown(() => poor.close())
    await until(
      'it says what is missing',
      () =>
        poor.status.state === 'failed' &&
        poor.status.warnings.some((warning) => warning.includes('lacks write=command')),
    )
    t.match(poor.status.detail, /may not run "pjsip set history on".*write=command/)
    t.match(poor.status.warnings.join('\n'), /lacks write=command/)

    const rich = await as('rich')
    t.teardown(() => rich.close())
    await until('it warns', () => rich.status.warnings.length >= 2)
    t.match(rich.status.warnings.join('\n'), /"rich" has read=all.*\n.*write=all/)

    const barred = await as('barred')
    t.teardown(() => barred.close())
    await until('it is refused', () => barred.status.state === 'failed')
    t.match(barred.status.detail, /AMI_USERNAME.*AMI_SECRET.*permit\/deny\/acl/)
    t.notOk(
      JSON.stringify(barred.status).includes('secret=') ||
        JSON.stringify(barred.status.warnings).includes('barred"]'),
    )
  },
)

const user = (read: string, write: string) => [`read perm: ${read}`, `write perm: ${write}`]

t.test('rights: what is missing names the feature, what is enough says nothing', (t) => {
  t.same(describeRights(user('system,call,reporting,security', 'command,reporting'), 'u'), [])
  t.same(describeRights(user('system,call,reporting,security', 'command,call'), 'u'), [])
  t.match(
    describeRights(user('call', 'command,originate,call'), 'u').join('\n'),
    /read=system[\s\S]*read=security[\s\S]*originate/,
  )
  t.end()
})

t.test(
  'an INVITE whose caller name forges AMI events makes no call, ends none, and is still shown',
  async (t) => {
    const [pbx, redis] = await Promise.all([startTestPbx(), startTestRedis()])
    const bus = createBusReader(redis.url)
    const bridge = await startTestBridge(bridgeEnvironment(pbx, redis.url))
    t.teardown(async () => {
      await bridge.close()
      bus.close()
      await Promise.all([pbx.stop(), redis.stop()])
    })
    await until('it reads', () => bridge.status.state === 'up')
    const evil = 'x%0D%0A%0D%0AEvent: Hangup'
    const sipp = await runSipp({
      scenario: 'answered',
      address: pbx.phoneAddress,
      remote: { address: pbx.address, port: pbx.sipPort },
      number: '600',
      caller: { number: '1001', name: evil },
    })
    await until('all of it is shown', async () => (await bus.records()).length >= sipp.sent + sipp.received)
    t.ok((await bus.records()).some((record) => Buffer.from(record.payload).includes(evil)))
  },
)

t.test(
  'forged Newchannel, Hangup, Shutdown and SIP events on the AMI socket change nothing and are counted',
  async (t) => {
    const redis = await startTestRedis()
    const alive = 'PJSIP/phone-00000001'
    const server = await startAmiServer({
      answer: (fields) => {
        if (fields.get('Action') === 'Ping')
          return reply(`Ping: Pong\r\nTimestamp: ${(Date.now() / 1000).toFixed(6)}`)
        if (fields.get('Action') === 'Getvar') {
          if (fields.get('Channel') !== alive)
            return 'Response: Error\r\nActionID: $ID\r\nMessage: No such channel\r\n\r\n'
          const variable = fields.get('Variable') ?? ''
          const values: Record<string, string> = {
            'CHANNEL(pjsip,call-id)': 'real-call-id',
            'CHANNEL(uniqueid)': '1.1',
            'CHANNEL(linkedid)': '1.0',
          }
          return reply(`Variable: ${variable}\r\nValue: ${values[variable] ?? ''}`)
        }
        const command = fields.get('Command') ?? ''
        if (/set history/.test(command))
          return reply('Message: Command output follows\r\nOutput: PJSIP History enabled')
        if (/history entry/.test(command))
          return "Response: Error\r\nActionID: $ID\r\nMessage: Command output follows\r\nOutput: Entry '0' does not exist\r\n\r\n"
        if (fields.get('Action') === 'CoreStatus')
          return reply('CoreStartupDate: 2026-11-23\r\nCoreStartupTime: 06:00:00')
        return accept(fields)
      },
    })
    const bus = createBusReader(redis.url)
    const bridge = await startTestBridge(
      bridgeEnvironment(
        { address: '127.0.0.1', amiPort: server.port, amiUsername: 'u', amiSecret: 's' },
        redis.url,
      ),
    )
    t.teardown(async () => {
      await bridge.close()
      bus.close()
      await Promise.all([server.close(), redis.stop()])
    })
    await until('it reads', () => bridge.status.state === 'up')
    const event = (name: string, channel: string, more = '') =>
      server.send(`Event: ${name}\r\nChannel: ${channel}\r\nUniqueid: 6.6\r\nLinkedid: 6.6\r\n${more}\r\n`)
    event('Newchannel', alive)
    const linked = async () => (await bus.calls()).filter(({ kind }) => kind === 'leg-linked')
    await until('the real one is linked', async () => (await linked()).length === 1)
    t.match(
      (await linked())[0],
      { kind: 'leg-linked', callId: 'real-call-id', uniqueid: '1.1', linkedid: '1.0' },
      'as Asterisk answered, not as the event said',
    )

    event('Newchannel', 'PJSIP/forged-00000001')
    event('Hangup', alive, 'Cause: 16\r\n')
    event('Newchannel', 'PJSIP/<img src=x onerror=alert(1)>-1')
    // Not a transfer, not a bridge, not a linked call: nothing that an event alone says joins two calls.
    event('BridgeEnter', alive, 'BridgeUniqueid: b-1\r\n')
    event(
      'AttendedTransfer',
      alive,
      `OrigTransfererChannel: ${alive}\r\nTransferTargetChannel: PJSIP/forged-00000001\r\n`,
    )
    server.send(
      `Event: LocalBridge\r\nLocalOneChannel: Local/x@y-1;1\r\nLocalTwoChannel: Local/x@y-1;2\r\nLocalOneLinkedid: 1.0\r\nLocalTwoLinkedid: 6.6\r\n\r\n`,
    )
    server.send('Event: Shutdown\r\nShutdown: Cleanly\r\nRestart: False\r\n\r\n')
    const sip =
      'OPTIONS sip:forged@x SIP/2.0\\r\\nCall-ID: forged\\r\\nCSeq: 1 OPTIONS\\r\\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKx\\r\\n\\r\\n'
    for (let i = 0; i < 8; i++) server.send(`Event: SIPMessage\r\nMessage: ${sip}\r\n\r\n`)
    await until(
      'they are counted',
      () =>
        (bridge.status.counters['ami_suspect'] ?? 0) >= 3 &&
        (bridge.status.counters['events_with_sip'] ?? 0) >= 8,
    )
    t.equal(bridge.status.counters['events_with_sip'], 8)
    const kinds = (await bus.calls()).map(({ kind }) => kind)
    t.same(
      kinds.filter((kind) => /^leg-(?:started|linked|ended)$|^calls-joined$|^local-pair$/.test(kind)),
      ['leg-started', 'leg-linked'],
      'no leg began or ended, no calls were joined',
    )
    t.equal((await bus.records()).length, 0, 'no forged message is shown')
    t.equal(bridge.status.tap, 'history')
    t.equal(bridge.status.state, 'up')
  },
)

t.test('a patched Asterisk: SIP in events, set by AMI_TAP=events, arrives with its addresses', async (t) => {
  const redis = await startTestRedis()
  const server = await startAmiServer()
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge(
    bridgeEnvironment(
      { address: '127.0.0.1', amiPort: server.port, amiUsername: 'u', amiSecret: 's' },
      redis.url,
      { AMI_TAP: 'events' },
    ),
  )
  t.teardown(async () => {
    await bridge.close()
    bus.close()
    await Promise.all([server.close(), redis.stop()])
  })
  await until('it is up', () => bridge.status.state === 'up')
  const lines = [
    'OPTIONS sip:a SIP/2.0',
    'Via: SIP/2.0/UDP 10.0.0.9;branch=z9hG4bK1',
    'Call-ID: one',
    'CSeq: 1 OPTIONS',
    '',
  ]
  server.send(
    `Event: SIPMessage\r\nDirection: received\r\nRemoteAddress: 10.0.0.9:5060\r\nLocalAddress: 10.0.0.1:5060\r\n${lines.map((line) => `Message: ${line}\r\n`).join('')}\r\n`,
  )
  const records = await until('it is there', async () => {
    const found = await bus.records()
    return found.length > 0 && found
  })
  t.match(records, [
    {
      source: 'ami-event',
      direction: 'in',
      src: { address: '10.0.0.9', port: 5060 },
      dst: { address: '10.0.0.1', port: 5060 },
      transport: 'UDP',
    },
  ])
  t.equal(Buffer.from(records[0]?.payload ?? []).toString(), lines.map((line) => `${line}\r\n`).join(''))
})

t.test('without AMI_HOST it idles and says which settings are missing', async (t) => {
  const redis = await startTestRedis()
  const bus = createBusReader(redis.url)
  const bridge = await startTestBridge({ REDIS_URL: redis.url, LOG_LEVEL: 'silent', NODE_NAME: 'test' })
  t.teardown(async () => {
    await bridge.close()
    bus.close()
    await redis.stop()
  })
  await until('a heartbeat', async () => (await bus.statuses()).length > 0)
  t.match((await bus.statuses())[0], {
    state: 'off',
    detail: /AMI_HOST, AMI_USERNAME and AMI_SECRET/,
    counters: {},
  })
})

t.test('both sides on port 5060: the direction comes from addresses', (t) => {
  const own = createOwnAddresses()
  own.replace([{ address: '10.0.0.1', port: 5060 }])
  const [pbx, phone] = [
    { address: '10.0.0.1', port: 5060 },
    { address: '10.0.0.2', port: 5060 },
  ]
  t.equal(own.directionOf(phone, pbx), 'in')
  t.equal(own.directionOf(pbx, phone), 'out')
  t.equal(own.directionOf({ ...pbx, port: 41_000 }, phone), 'out', 'an own TCP connection')
  t.equal(own.directionOf(phone, { ...phone, port: 9 }), 'unknown')
  t.end()
})

t.test('a HEP port in use is one sentence that names HEP_LISTEN', async (t) => {
  const { createSocket } = await import('node:dgram')
  const taken = createSocket('udp4')
  await new Promise<void>((resolve) => taken.bind(0, '127.0.0.1', resolve))
  t.teardown(() => taken.close())
  await t.rejects(
    startTestBridge({
      LOG_LEVEL: 'silent',
      AMI_HOST: '127.0.0.1',
      AMI_USERNAME: 'a',
      AMI_SECRET: 'b',
      HEP_LISTEN: `127.0.0.1:${taken.address().port}`,
    }),
    /HEP_LISTEN: .* is in use/,
  )
})
