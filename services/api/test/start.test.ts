import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import t from 'tap'
import { ensureServicesBuilt } from '@sip-capture/infra/build/services.ts'
import { serviceCommand, serviceFolder } from '@sip-capture/infra/service-command.ts'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { readConfig } from '@sip-capture/service/config.ts'
import { apiSettings, checkConfig } from '../src/config.ts'
import { until } from './api-under-test.ts'

await ensureServicesBuilt()

function start(env: Record<string, string>, words: readonly string[] = []) {
  const [program, ...args] = serviceCommand('api')
  const child = spawn(program, [...args, ...words], {
    cwd: serviceFolder('api'),
    // Not the Redis that somebody may have at the usual port.
    env: { PATH: process.env['PATH'], LOG_LEVEL: 'silent', REDIS_URL: 'redis://127.0.0.1:1', ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  return { child, ended: once(child, 'exit').then(([code]) => ({ code: code as number | null, stderr })) }
}

t.test('a wrong setting ends the start with code 78 and a sentence that names it', async (t) => {
  const folder = t.testdir()
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    server.close()
    await once(server, 'close')
  })
  const taken = String((server.address() as AddressInfo).port)
  writeFileSync(path.join(folder, 'file'), '')
  const [port, data, role] = await Promise.all([
    start({ API_PORT: taken, DATA_DIR: folder }).ended,
    start({ DATA_DIR: path.join(folder, 'file') }).ended,
    start({ DATA_DIR: folder }, ['--role=worker']).ended,
  ])
  t.same(port, {
    code: 78,
    stderr: `api: API_PORT: 127.0.0.1:${taken} is in use by another program; choose another port\n`,
  })
  t.equal(data.code, 78)
  t.match(data.stderr, /^api: DATA_DIR: cannot write to .*\n$/)
  t.equal(role.code, 78)
  t.match(role.stderr, /^api: API_ROLE: worker needs HISTORY_URL: .*\n$/)
})

t.test('settings that do not fit are all told at once', async (t) => {
  const faults = (env: Record<string, string>) => {
    try {
      checkConfig(readConfig(apiSettings, { DATA_DIR: t.testdir(), ...env }))
      return ''
    } catch (error) {
      return (error as Error).message
    }
  }
  t.match(faults({ API_TOKENS: 'short' }), /API_TOKENS: each token needs at least 16/)
  t.match(faults({ API_TOKENS: 'a-token-of-some-length,' }), /API_TOKENS/)
  t.match(faults({ API_HOST: '0.0.0.0' }), /API_TOKENS: is not set, but API_HOST 0\.0\.0\.0/)
  t.match(faults({ API_HOST: '::' }), /API_TOKENS/)
  t.equal(faults({ API_HOST: '0.0.0.0', API_TOKENS: 'none' }), '')
  t.equal(faults({ API_HOST: '0.0.0.0', API_TOKENS: 'a-token-of-some-length' }), '')
  t.equal(faults({ API_HOST: '127.0.0.5' }), '')
  const server = 'http://127.0.0.1:8123'
  t.match(faults({ HISTORY_CLUSTER: 'pair' }), /HISTORY_CLUSTER: is set, but HISTORY_URL is not/)
  t.match(faults({ HISTORY_CLUSTER: `a' b`, HISTORY_URL: server }), /HISTORY_CLUSTER: the name of a cluster/)
  t.match(faults({ HISTORY_URL: `${server},${server}` }), /HISTORY_CLUSTER: is not set/)
  t.match(
    faults({ HISTORY_CLUSTER: 'pair', HISTORY_URL: `${server}/a,${server}/b` }),
    /HISTORY_URL: the servers of a cluster have one database/,
  )
  t.match(faults({ HISTORY_CLUSTER: 'pair', HISTORY_URL: `${server}/a%27b` }), /HISTORY_URL: the database/)
  t.equal(faults({ HISTORY_CLUSTER: 'pair', HISTORY_URL: `${server}, ${server}`, API_ROLE: 'api' }), '')
  t.match(faults({ API_ROLE: 'worker' }), /API_ROLE: worker needs HISTORY_URL/)
  t.match(faults({ API_ROLE: 'reader', HISTORY_URL: server }), /API_ROLE: /)
  const many = faults({
    API_PORT: '99999',
    ALLOWED_ORIGINS: 'example.org',
    HISTORY_URL: 'ftp://x',
    RETENTION_DAYS: '0',
  })
  for (const name of ['API_PORT', 'ALLOWED_ORIGINS', 'HISTORY_URL', 'RETENTION_DAYS'])
    t.match(many, `${name}: `)
})

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  t.test(`without Redis it starts, says so, and ${signal} ends it and its history process`, async (t) => {
    const port = await findFreePort()
    const { child, ended } = start({
      API_PORT: String(port),
      DATA_DIR: t.testdir(),
      REDIS_URL: `redis://127.0.0.1:${await findFreePort()}`,
    })
    t.teardown(() => void child.kill('SIGKILL'))
    const ready = await until(
      async () => (await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined))?.json(),
      (answer) => answer !== undefined && (answer as { reasons: string[] }).reasons.length === 1,
    )
    t.match((ready as { reasons: string[] }).reasons[0], /REDIS_URL/)
    t.equal((await fetch(`http://127.0.0.1:${port}/api/v1/messages`)).status, 200, 'history answers')
    child.kill(signal)
    t.equal((await ended).code, 0)
  })
