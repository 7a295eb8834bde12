import { sizes, type Size } from './row.ts'
import { rows } from './rows.ts'

/** One row in a process of its own: its memory and its compiled code are its own. */

const [name, given, folder = ''] = process.argv.slice(2)
const row = rows.find((one) => one.name === name)
const size: Size = sizes.find((one) => one === given) ?? 'usual'
if (!row || !process.send) throw new Error('started by main.ts, with the name of a row')
const { run } = await row.load()
const figures = await run({
  size,
  folder,
  pick: (quick, usual, full) => ({ quick, usual, full })[size],
  say: (line) => void process.stderr.write(`  ${line}\n`),
})
process.send({ figures })
process.disconnect()
