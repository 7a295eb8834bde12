import { fileURLToPath } from 'node:url'
import { ensurePbxTree } from '@sip-capture/infra/test-pbx/build.ts'
import t from 'tap'

t.setTimeout(1_800_000)

t.test('faults caused on a real Asterisk, and what the product says of them', async (t) => {
  // Built here, because there is no way out of the namespace.
  await ensurePbxTree()
  const asRoot = process.getuid?.() === 0 ? [] : ['--map-root-user']
  const program = fileURLToPath(new URL('../lab/inside.ts', import.meta.url))
  await t.spawn(
    'unshare',
    [...asRoot, '--net', process.execPath, '--import=tsx', program],
    { timeout: 1_800_000 },
    'in a network namespace of its own',
  )
})
