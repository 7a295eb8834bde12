import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { startSystem, until } from '../system.ts'

t.setTimeout(1_800_000)

t.test(
  'the check of a failed call says what the option is set to, and what it is set to after a change',
  async (t) => {
    const system = await startSystem(t, { services: ['ami-bridge', 'api'] })
    const { pbx } = system
    // The history learns the names of the endpoints a moment after the bridge has told them.
    await until(async () => {
      await runSipp({
        scenario: 'not-found',
        address: pbx.phoneAddress,
        remote: { address: pbx.address, port: pbx.sipPort },
        number: '9999',
        calls: 1,
      })
      return (await system.count({ status: '404', trunk: 'phone' })) > 0
    }, 'a 404 to the phone')
    const [row] = await system.messages({ status: '404', trunk: 'phone' })
    const callId = row?.callId ?? ''
    const context = async () => {
      let call = await system.call(callId)
      // A bridge that is asked and has no processor for a second is asked again.
      await until(async () => {
        call = await system.call(callId)
        return call.optionsProblem === undefined
      }, 'the bridge to answer')
      const [first] = call.findings
      t.equal(first?.ruleId, 'F01-number-not-found-here')
      return first?.options?.find(({ option }) => option === 'context')
    }
    t.same(await context(), {
      option: 'context',
      object: 'endpoint',
      endpoint: 'phone',
      value: 'from-phone',
      sentence: 'context is from-phone on endpoint phone',
    })

    const file = join(pbx.configFolder, 'pjsip.conf')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll('context=from-phone', 'context=nowhere'))
    await pbx.cli('module reload res_pjsip.so')
    await until(async () => (await context())?.value === 'nowhere', 'the new value')
    t.equal((await context())?.sentence, 'context is nowhere on endpoint phone')
  },
)
