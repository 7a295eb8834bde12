import { createHmac } from 'node:crypto'
import t from 'tap'
import type { WebhookBody } from '@sip-capture/contract/rest/watch.ts'
import { postWebhook } from '../../src/watches/webhook.ts'
import { isRefusedAddress, lookupAllowed } from '../../src/watches/webhook-address.ts'
import { startReceiver } from './receiver.ts'

const body: WebhookBody = {
  type: 'test',
  id: 'm1',
  at: '2026-11-23T05:41:50.000000Z',
  watch: { id: 'w1', name: '<b>failed</b>\u202e', search: 'state:failed' },
  call: null,
  link: null,
}

t.test('a webhook is one POST, signed as Standard Webhooks has it', async (t) => {
  const { url, hooks } = await startReceiver(t)
  t.same(await postWebhook({ url, body, secret: 'a secret of words' }), {
    isDelivered: true,
    status: 200,
    isFinal: true,
  })
  const [hook] = hooks
  t.equal(hooks.length, 1)
  t.same(hook?.body, body)
  const { 'webhook-id': id, 'webhook-timestamp': time, 'webhook-signature': signature } = hook?.headers ?? {}
  t.equal(id, 'm1')
  const expected = createHmac('sha256', 'a secret of words').update(`m1.${String(time)}.${hook?.text}`)
  t.equal(signature, `v1,${expected.digest('base64')}`)

  await postWebhook({ url, body, secret: `whsec_${Buffer.from('key').toString('base64')}` })
  const second = hooks[1]
  const keyed = createHmac('sha256', 'key').update(
    `m1.${String(second?.headers['webhook-timestamp'])}.${second?.text}`,
  )
  t.equal(second?.headers['webhook-signature'], `v1,${keyed.digest('base64')}`)
  await postWebhook({ url, body })
  t.equal(hooks[2]?.headers['webhook-signature'], undefined, 'no secret, no signature')
})

t.test('a redirect is not followed, a fault is told, a silent receiver is given up', async (t) => {
  const elsewhere = await startReceiver(t)
  const { url, hooks } = await startReceiver(t, (hook, response) => {
    if (hook.path === '/redirect') response.writeHead(302, { location: elsewhere.url }).end()
    else if (hook.path === '/fault') response.writeHead(503).end('away')
    // '/hang': says nothing.
  })
  const at = (path: string) => url.replace('/hook', path)
  t.match(await postWebhook({ url: at('/redirect'), body }), {
    isDelivered: false,
    status: 302,
    error: 'it answered 302: redirects are not followed',
    isFinal: false,
  })
  t.equal(elsewhere.hooks.length, 0)
  t.match(await postWebhook({ url: at('/fault'), body }), { isDelivered: false, status: 503 })
  t.match(await postWebhook({ url: at('/hang'), body, timeoutMillis: 200 }), {
    isDelivered: false,
    status: null,
    error: 'no answer within 200 ms',
    isFinal: false,
  })
  t.equal(hooks.length, 3)
  t.match(await postWebhook({ url: 'http://127.0.0.1:1/', body }), { error: /ECONNREFUSED/, isFinal: false })
})

t.test('an answer without an end is cut, and its status counts', async (t) => {
  let written = 0
  const { url } = await startReceiver(t, (_hook, response) => {
    const block = Buffer.alloc(16 * 1024, 'x')
    const write = () => {
      while (!response.destroyed && response.write(block)) written += block.length
    }
    response.on('drain', write)
    response.on('error', () => {})
    write()
  })
  t.match(await postWebhook({ url, body }), { isDelivered: true, status: 200 })
  t.ok(written < 64 * 1024 * 1024, 'nothing was read for ever')
})

t.test('link-local and metadata addresses are refused, however they are spelled', async (t) => {
  const spellings = [
    'http://169.254.169.254/latest/meta-data',
    'http://[::ffff:169.254.169.254]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[64:ff9b::a9fe:a9fe]/',
    'http://[fe80::1]/',
    'http://[fd00:ec2::254]/',
    'http://2852039166/',
    'http://0xA9.0xFE.169.254/',
    'http://100.100.100.200/',
    'http://0.0.0.0/',
  ]
  for (const url of spellings) {
    const outcome = await postWebhook({ url, body, timeoutMillis: 2_000 })
    t.match(outcome, { isDelivered: false, status: null, error: /is not asked$/, isFinal: true }, url)
  }
  for (const address of ['127.0.0.1', '10.1.2.3', '192.168.1.1', '::1', 'fd00::1', '203.0.113.9'])
    t.notOk(isRefusedAddress(address), address)
})

const askName = (name: string) =>
  new Promise<{ error: string; addresses: string[] }>((resolve) => {
    lookupAllowed(name, { all: true }, (error, found) => {
      const addresses = typeof found === 'string' ? [found] : found.map(({ address }) => address)
      resolve({ error: error?.name ?? '', addresses })
    })
  })

t.test('what a name resolves to is looked at, and that address is the one that is asked', async (t) => {
  // The resolver answers an address with itself, as a name with a record of it would be answered; a bare machine may know no
  // name at all.
  t.same(await askName('127.0.0.1'), { error: '', addresses: ['127.0.0.1'] })
  t.same(await askName('169.254.169.254'), { error: 'AddressRefused', addresses: [] })
})
