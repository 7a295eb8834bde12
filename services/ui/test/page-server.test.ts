import { spawn } from 'node:child_process'
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { createServer as createHttpServer, request } from 'node:http'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createLogger } from '@sip-capture/service/logger.ts'
import t from 'tap'
import { WebSocket } from 'ws'
import { checkExposure, settings } from '../server/config.ts'
import { startPageServer } from '../server/page-server.ts'
import { startFakeApi } from './fake-api.ts'
import { until } from './until.ts'

const logger = createLogger({ name: 'ui', level: 'silent' })
const parent = await mkdtemp(join(tmpdir(), 'sip-capture-page-'))
const folder = join(parent, 'dist')
await mkdir(join(folder, 'assets'), { recursive: true })
await writeFile(join(folder, 'index.html'), '<!doctype html><title>page</title>')
await writeFile(join(folder, 'embed.html'), '<!doctype html><title>embed</title>')
await writeFile(join(folder, 'assets', 'main-abc.js'), `// ${'x'.repeat(2000)}`)
await writeFile(join(parent, 'outside.html'), 'outside')
t.teardown(() => rm(parent, { recursive: true, force: true }))

const base = {
  UI_HOST: '127.0.0.1',
  UI_PORT: 3000,
  LOG_LEVEL: 'silent',
  ALLOWED_ORIGINS: [] as string[],
} as const
const api = await startFakeApi({ token: 'a-token-of-24-characters' })
const server = await startPageServer({ config: { ...base, API_URL: api.url }, logger }, { folder, port: 0 })
t.teardown(() => server.close())
t.teardown(() => api.close())
const port = Number(new URL(server.url).port)

/** Sends a target exactly as given, which `fetch` would tidy up. */
function rawStatus(target: string, method = 'GET'): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path: target, method }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

t.test('the page has a policy without unsafe-inline and may not be framed', async (t) => {
  const response = await fetch(server.url)
  const policy = response.headers.get('content-security-policy') ?? ''
  t.match(
    policy,
    /default-src 'self'.*script-src 'self'.*style-src 'self'.*connect-src 'self'.*frame-ancestors 'none'/,
  )
  t.notMatch(policy, /unsafe/)
  t.equal(response.headers.get('x-content-type-options'), 'nosniff')
  t.equal(response.headers.get('referrer-policy'), 'no-referrer')
})

t.test('the viewer for frames names who may frame it; the rest of the page nobody', async (t) => {
  const framed = await startPageServer(
    {
      config: {
        ...base,
        API_URL: api.url,
        ALLOWED_ORIGINS: ['https://crm.example.org/', 'http://[::1]:8080'],
      },
      logger,
    },
    { folder, port: 0 },
  )
  t.teardown(() => framed.close())
  const embed = await fetch(`${framed.url}/embed/call?call=x`)
  t.match(await embed.text(), /<title>embed</)
  t.match(
    embed.headers.get('content-security-policy'),
    /; frame-ancestors https:\/\/crm\.example\.org http:\/\/\[::1\]:8080$/,
  )
  t.equal(embed.headers.get('x-frame-options'), null)
  for (const path of ['/', '/capture', '/embedded', '/embed.html', '/links?/embed/call']) {
    const page = await fetch(`${framed.url}${path}`)
    t.match(page.headers.get('content-security-policy'), /frame-ancestors 'none'$/, path)
    t.equal(page.headers.get('x-frame-options'), 'DENY', path)
  }
  const closed = await fetch(`${server.url}/embed/call`)
  t.match(closed.headers.get('content-security-policy'), /frame-ancestors 'none'$/, 'without ALLOWED_ORIGINS')
  t.equal(closed.headers.get('x-frame-options'), 'DENY')
})

const readOrigins = (text: string) => settings.safeParse({ ALLOWED_ORIGINS: text })

t.test('an origin that could say something else in the policy is refused', (t) => {
  for (const bad of [
    '*',
    "https://a.example; script-src 'unsafe-inline'",
    'https://a.example/path',
    'null',
    'https://*.a.example',
    '',
  ])
    t.notOk(readOrigins(bad).success, bad)
  t.same(readOrigins('https://a.example, http://b.example:8080').data?.ALLOWED_ORIGINS, [
    'https://a.example',
    'http://b.example:8080',
  ])
  t.end()
})

t.test('a place in the page is the page, a missing file is not found', async (t) => {
  for (const path of ['/', '/capture', '/capture?callId=a%2Fb', '/sources'])
    t.match(await (await fetch(server.url + path)).text(), '<title>page</title>')
  t.equal(await rawStatus('/assets/gone.js'), 404)
})

t.test('hashed files may be kept for ever, the page itself is asked for anew', async (t) => {
  const asset = await fetch(`${server.url}/assets/main-abc.js`)
  t.match(asset.headers.get('cache-control'), /immutable/)
  t.equal(asset.headers.get('content-encoding'), 'gzip')
  t.equal((await fetch(server.url)).headers.get('cache-control'), 'no-cache')
})

t.test('no path leaves the folder', async (t) => {
  for (const path of [
    '/../outside.html',
    '/..%2foutside.html',
    '/%2e%2e/outside.html',
    '/assets/../../outside.html',
  ])
    t.equal(await rawStatus(path), 404, path)
})

t.test('bad requests get a 4xx and the server stays', async (t) => {
  t.equal(await rawStatus('http://elsewhere/'), 400)
  t.equal(await rawStatus('//elsewhere/'), 400)
  t.equal(await rawStatus('/%zz%00'), 200, 'an unreadable place is still only the page')
  t.equal(await rawStatus('/capture', 'POST'), 405)
  const answer = await new Promise<string>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('\0\0garbage\r\n\r\n'))
    socket.on('data', (data) => resolve(data.toString()))
    socket.on('error', () => resolve('HTTP/1.1 400'))
  })
  t.match(answer, /^HTTP\/1\.1 400/)
  t.equal(await rawStatus('/healthz'), 200)
})

t.test('requests below /api go to the API as they came, and its refusals come back', async (t) => {
  t.equal(await rawStatus('/api/v1/sources'), 401)
  const headers = { authorization: 'Bearer a-token-of-24-characters' }
  t.equal((await fetch(`${server.url}/api/v1/sources`, { headers })).status, 200)
  const callId = encodeURIComponent(`${'long/'.repeat(12_000)}\0é`)
  t.equal((await fetch(`${server.url}/api/v1/calls/${callId}`, { headers })).status, 404)
  t.ok(api.requests.at(-1) === `/api/v1/calls/${callId}`, 'a Call-ID of 60,000 bytes passes whole')
})

t.test('the WebSocket passes through, and a refusal is told before the upgrade', async (t) => {
  const refused = await new Promise<number>((resolve) => {
    new WebSocket(`${server.url.replace('http', 'ws')}/ws`, ['sip-capture'])
      .on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
      .on('error', () => undefined)
  })
  t.equal(refused, 401)
  const token = `token.${Buffer.from('a-token-of-24-characters').toString('base64url')}`
  const socket = new WebSocket(`${server.url.replace('http', 'ws')}/ws`, ['sip-capture', token])
  const hello = await new Promise<string>((resolve) => {
    socket.once('message', (data: Buffer) => resolve(data.toString()))
  })
  t.match(hello, /"type":"hello"/)
  t.equal(socket.protocol, 'sip-capture')
  const closed = new Promise((resolve) => {
    socket.once('close', resolve)
  })
  api.dropClients()
  await closed
  t.pass('and closes when the API does')
})

t.test('an upgrade of any other path is not found', async (t) => {
  const status = await new Promise<number>((resolve) => {
    new WebSocket(`${server.url.replace('http', 'ws')}/elsewhere`)
      .on('unexpected-response', (_request, response) => resolve(response.statusCode ?? 0))
      .on('error', () => undefined)
  })
  t.equal(status, 404)
})

t.test('a refused upgrade is let go, also when its client keeps its end open', async (t) => {
  for (const [path, status] of [
    ['/elsewhere', 404],
    ['/ws', 401],
  ] as const) {
    const answer = await new Promise<string>((resolve) => {
      const text: string[] = []
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
      socket.write(`GET ${path} HTTP/1.1\r\nHost: page\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
      socket.on('data', (data) => text.push(data.toString()))
      socket.on('error', () => {})
      // Only a server that has let go answers what is written now with a reset.
      socket.on('end', () => {
        const writing = setInterval(() => socket.write('still here'), 20)
        socket.on('close', () => {
          clearInterval(writing)
          resolve(text.join(''))
        })
      })
    })
    t.match(answer, new RegExp(`^HTTP/1.1 ${status} `))
  }
})

t.test('without the API the page is still served, and the answer names API_URL', async (t) => {
  const lonely = await startPageServer(
    { config: { ...base, API_URL: 'http://127.0.0.1:9' }, logger },
    { folder, port: 0 },
  )
  t.teardown(() => lonely.close())
  t.equal((await fetch(`${lonely.url}/capture`)).status, 200)
  const answer = await fetch(`${lonely.url}/api/v1/sources`)
  t.equal(answer.status, 502)
  t.match(await answer.json(), { code: 'api_unreachable', message: /API_URL/ })
})

t.test('an API that is away is told in the log, a browser that leaves is not', async (t) => {
  const warnings: string[] = []
  const noting = Object.assign(createLogger({ name: 'ui', level: 'silent' }), {
    warn: (_fields: unknown, text: string) => warnings.push(text),
  })
  let asked = 0
  let left = 0
  const slow = createHttpServer((asking, response) => {
    if (asking.url === '/api/v1/broken') {
      asking.socket.destroy()
      return
    }
    asked += 1
    response.on('close', () => (left += 1))
  })
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  t.teardown(() => slow.close())
  const { port: slowPort } = slow.address() as AddressInfo
  const front = await startPageServer(
    { config: { ...base, API_URL: `http://127.0.0.1:${slowPort}` }, logger: noting },
    { folder, port: 0 },
  )
  t.teardown(() => front.close())
  const leaving = new AbortController()
  const answer = fetch(`${front.url}/api/v1/slow`, { signal: leaving.signal })
  await until(() => asked === 1, 'the API is asked')
  leaving.abort()
  await t.rejects(answer)
  await until(() => left === 1, 'the API learns that nobody waits')
  const sending = connect(Number(new URL(front.url).port), '127.0.0.1')
  sending.write('POST /api/v1/slow HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\nhalf')
  await until(() => asked === 2, 'the API is sent something')
  sending.destroy()
  await until(() => left === 2, 'the API learns that no more comes')
  t.equal((await fetch(`${front.url}/api/v1/broken`)).status, 502)
  t.same(warnings, ['the API does not answer (API_URL)'], 'the broken one alone')
})

t.test('an open page server in front of a trusting API is refused unless told otherwise', async (t) => {
  const open = { ...base, UI_HOST: '0.0.0.0', API_URL: 'http://127.0.0.1:3001' }
  t.throws(() => checkExposure(open), { name: 'ConfigError', message: /^UI_HOST: .*API_TOKENS/ })
  t.doesNotThrow(() => checkExposure({ ...open, API_TOKENS: 'none' }))
  t.doesNotThrow(() => checkExposure({ ...open, API_URL: 'http://api:3001' }))
  t.doesNotThrow(() => checkExposure({ ...open, UI_HOST: '127.0.0.1' }))
})

t.test('a page that was not built is said in one sentence', async (t) => {
  await t.rejects(
    startPageServer(
      { config: { ...base, API_URL: api.url }, logger },
      { folder: join(folder, 'nothing'), port: 0 },
    ),
    { name: 'ConfigError', message: /pnpm build/ },
  )
})

t.test('a taken port names UI_PORT', async (t) => {
  const holder = createServer()
  await new Promise<void>((resolve) => {
    holder.listen(0, '127.0.0.1', resolve)
  })
  t.teardown(() => holder.close())
  const taken = (holder.address() as AddressInfo).port
  await t.rejects(
    startPageServer({ config: { ...base, API_URL: api.url, UI_PORT: taken }, logger }, { folder }),
    { name: 'ConfigError', message: /^UI_PORT: .*in use/ },
  )
})

t.test('wrong settings end the service with code 78 and a sentence each, no stack', async (t) => {
  const child = spawn(process.execPath, ['--import=tsx', 'server.ts'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    env: { ...process.env, UI_PORT: '99999', API_URL: 'not a url' },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let told = ''
  child.stderr.on('data', (data: Buffer) => {
    told += data.toString()
  })
  const code = await new Promise((resolve) => {
    child.on('close', resolve)
  })
  t.equal(code, 78)
  t.match(told, /ui: UI_PORT: /)
  t.match(told, /ui: API_URL: /)
  t.notMatch(told, / at .*\.ts/)
})
