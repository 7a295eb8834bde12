import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { repositoryFolder } from '../repository.ts'
import { checkPorts, readStartEnvironment, readStartSettings } from '../start-settings.ts'

t.test('the environment wins over .env, and an empty value means unset', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sip-capture-env-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, '.env')
  await writeFile(
    file,
    'AMI_HOST=pbx.example\nAMI_SECRET="with # and spaces"\nUI_PORT=4000\nREDIS_URL=\n# LOG_LEVEL=debug\n',
  )
  const env = await readStartEnvironment({ UI_PORT: '5000', API_PORT: '' }, file)
  t.same(env, { AMI_HOST: 'pbx.example', AMI_SECRET: 'with # and spaces', UI_PORT: '5000' })
  t.same(await readStartEnvironment({}, join(folder, 'absent')), {}, 'no .env is no fault')
})

t.test('a relative DATA_DIR is below the repository, wherever the command is run', async (t) => {
  t.equal(readStartSettings({}).DATA_DIR, join(repositoryFolder, '.data'))
  t.equal(readStartSettings({ DATA_DIR: '/srv/sip' }).DATA_DIR, '/srv/sip')
})

t.test('all wrong settings are told at once', async (t) => {
  t.throws(() => readStartSettings({ UI_PORT: '70000', TSHARK_ENABLED: 'maybe' }), {
    name: 'ConfigError',
    message: /UI_PORT: .*\n?TSHARK_ENABLED: true or false/,
  })
})

t.test('a port in use is one sentence that names the setting', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  const free = String(await findFreePort())
  await t.rejects(checkPorts(readStartSettings({ UI_PORT: String(taken), API_PORT: free })), {
    name: 'ConfigError',
    message: `UI_PORT: port ${taken} of 127.0.0.1 is in use by another program; stop it or set another UI_PORT`,
  })
  await t.resolves(checkPorts(readStartSettings({ UI_PORT: String(await findFreePort()), API_PORT: free })))
})

t.test('an address that is not of this machine, and one port for two, are named too', async (t) => {
  const free = String(await findFreePort())
  const settings = readStartSettings({ UI_PORT: free, API_PORT: free, API_HOST: '192.0.2.1' })
  await t.rejects(checkPorts(settings), {
    message: `API_HOST: cannot listen on 192.0.2.1 (EADDRNOTAVAIL)\nUI_PORT and API_PORT: both are ${free}; set another one`,
  })
})
