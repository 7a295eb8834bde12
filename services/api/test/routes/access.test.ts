import { once } from 'node:events'
import t from 'tap'
import { WebSocket } from 'ws'
import { startApiUnderTest, until, type ApiUnderTest } from '../api-under-test.ts'
import { follow, listen } from '../live-client.ts'

const token = 'a-token-of-some-length'
const bearer = (text: string) => ({ authorization: `Bearer ${text}` })
const offered = (text: string) => ['sip-capture', `token.${Buffer.from(text).toString('base64url')}`]

/** Status of a refused upgrade, 101 for one that is taken. */
async function upgrade(
  api: ApiUnderTest,
  options: { origin?: string; host?: string; protocols?: string[]; authorization?: string },
): Promise<number> {
  const port = await listen(api)
  const headers = {
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.origin === undefined ? {} : { origin: options.origin }),
    ...(options.authorization === undefined ? {} : { authorization: options.authorization }),
  }
  const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`, options.protocols ?? [], { headers })
  socket.on('error', () => {})
  const status = await Promise.race([
    once(socket, 'open').then(() => 101),
    once(socket, 'unexpected-response').then(
      ([, response]) => (response as { statusCode: number }).statusCode,
    ),
  ])
  socket.terminate()
  return status
}

t.test('without tokens: own pages and programs of this machine may, foreign pages may not', async (t) => {
  const api = await startApiUnderTest(t)
  const port = await listen(api)
  const own = `http://127.0.0.1:${port}`
  t.equal(await upgrade(api, {}), 101, 'no Origin, this machine')
  t.equal(await upgrade(api, { origin: own }), 101)
  for (const origin of [
    'https://evil.example',
    'null',
    `http://127.0.0.1:${port}.evil.example`,
    `http://127.0.0.1:${port + 1}`,
    'http://localhost.evil.example',
    'file://',
    `ws://127.0.0.1:${port}`,
    'garbage',
  ])
    t.equal(await upgrade(api, { origin }), 403, origin)
  t.equal(await upgrade(api, { host: 'evil.example', origin: 'http://evil.example' }), 403, 'DNS rebinding')
  t.equal((await api.get('/api/v1/sources', { host: 'evil.example' })).body.code, 'host-not-allowed')
  t.equal(
    (await api.get('/api/v1/sources', { host: 'localhost:3000', origin: 'https://evil.example' })).status,
    403,
  )
  for (const host of ['localhost:3000', '127.0.0.1', '[::1]:3001'])
    t.equal((await api.get('/api/v1/sources', { host })).status, 200, host)
})

t.test('ALLOWED_ORIGINS is compared parsed, scheme included', async (t) => {
  const api = await startApiUnderTest(t, {
    ALLOWED_ORIGINS: 'https://sip.example.org, http://localhost:3000',
  })
  const host = 'sip.example.org'
  t.equal(await upgrade(api, { host, origin: 'https://sip.example.org' }), 101)
  t.equal(await upgrade(api, { origin: 'http://localhost:3000' }), 101)
  for (const origin of [
    'http://sip.example.org',
    'https://sip.example.org.evil.example',
    'https://x.sip.example.org',
  ])
    t.equal(await upgrade(api, { host, origin }), 403, origin)
})

t.test('with tokens every route wants one, the WebSocket too', async (t) => {
  const api = await startApiUnderTest(t, { API_TOKENS: `${token},another-token-of-length` })
  for (const path of [
    '/api/v1/messages',
    '/api/v1/sources',
    '/api/v1/calls/x',
    '/metrics',
    '/openapi.json',
    '/docs',
    '/none',
  ]) {
    const missing = await api.app.inject({ url: path })
    t.equal(missing.statusCode, 401, path)
    t.equal(missing.headers['www-authenticate'], 'Bearer')
    t.equal((await api.app.inject({ url: path, headers: bearer(`${token}x`) })).statusCode, 401, path)
    t.equal((await api.app.inject({ url: `${path}?token=${token}` })).statusCode, 401, path)
  }
  t.equal((await api.get('/healthz')).status, 200)
  t.equal((await api.get('/readyz')).status, 200)
  t.equal((await api.get('/api/v1/sources', bearer(token))).status, 200)
  t.equal((await api.get('/api/v1/sources', bearer('another-token-of-length'))).status, 200)
  t.equal(await upgrade(api, {}), 401)
  t.equal(await upgrade(api, { protocols: offered('wrong-token-of-length') }), 401)
  t.equal(await upgrade(api, { protocols: offered(token), origin: 'https://evil.example' }), 403)
  t.equal(await upgrade(api, { authorization: `Bearer ${token}` }), 101)
  const client = await follow(api, { protocols: offered(token) })
  t.equal(client.socket.protocol, 'sip-capture', 'the token is not echoed')
  await until(
    () => client.frames,
    (frames) => frames.length > 1,
  )
  client.socket.terminate()
})

t.test('documentation and metrics', async (t) => {
  const api = await startApiUnderTest(t)
  const { body } = await api.get('/openapi.json')
  t.has(body.paths, { '/api/v1/messages': {}, '/api/v1/calls/{id}/pcap': {} })
  const metrics = await api.app.inject('/metrics')
  t.match(metrics.body, /sip_capture_api_events_total\{event="stored"\} 0/)
  t.match(metrics.body, /sip_capture_api_state\{what="history_ok"\} 1/)
  t.equal((await api.app.inject('/docs/')).statusCode, 200)
  t.match((await api.app.inject('/healthz')).headers['content-security-policy'], /default-src 'none'/)
})
