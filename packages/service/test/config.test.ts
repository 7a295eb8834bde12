import t from 'tap'
import { z } from 'zod'
import { commonSettings, ConfigError, port, readConfig } from '@sip-capture/service/config.ts'

const settings = z.object({
  ...commonSettings,
  AMI_HOST: z.string(),
  AMI_PORT: port,
  AMI_TLS: z.stringbool().default(false),
})

const read = () => readConfig(settings, { AMI_PORT: '99999999', AMI_TLS: 'maybe', REDIS_URL: 'http://x' })

t.test('every fault is told at once, by the name of its setting', async (t) => {
  t.throws(read, ConfigError)
  try {
    read()
  } catch (error) {
    const { message } = error as ConfigError
    t.match(message, /^AMI_HOST: is not set$/m)
    for (const name of ['AMI_PORT', 'AMI_TLS', 'REDIS_URL']) t.match(message, new RegExp(`^${name}: `, 'm'))
  }
})

t.test('an empty setting means its default, and "false" is false', async (t) => {
  const config = readConfig(settings, { AMI_HOST: 'pbx', AMI_PORT: '5038', AMI_TLS: 'false', BUS_PREFIX: '' })
  t.equal(config.AMI_TLS, false)
  t.equal(config.BUS_PREFIX, 'callytics:')
  t.equal(config.AMI_PORT, 5038)
  t.ok(Object.isFrozen(config))
})
