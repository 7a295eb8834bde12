import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { cpus, loadavg, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { ensureServicesBuilt } from '@sip-capture/infra/build/services.ts'
import { ensurePrograms, MissingPackageError } from '@sip-capture/infra/debian-packages.ts'
import { repositoryFolder } from '@sip-capture/infra/repository.ts'
import { z } from 'zod'
import { isReached, ratioToTarget, toTable, type Figure } from './figures.ts'
import type { Size } from './row.ts'
import { rows, type BenchRow } from './rows.ts'

/** `npm run bench [-- NAME … --quick|--full --json FILE]`: exit code 1 when a target is missed, 2 when a row failed. */

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const figuresOf = z.object({
  figures: z.array(
    z.object({
      name: z.string(),
      // NaN does not cross between processes as JSON.
      value: z.number().nullable(),
      unit: z.string(),
      atMost: z.number().optional(),
      atLeast: z.number().optional(),
      note: z.string().optional(),
    }),
  ),
})

interface RowResult {
  readonly row: string
  readonly seconds: number
  readonly figures: readonly Figure[]
  readonly problem?: string
}

async function runRow(row: BenchRow, size: Size): Promise<RowResult> {
  const startedAt = performance.now()
  const seconds = (): number => Math.round((performance.now() - startedAt) / 100) / 10
  try {
    await ensurePrograms(row.needs)
  } catch (error) {
    return { row: row.name, seconds: seconds(), figures: [], problem: toText(error) }
  }
  for (const peer of row.peers ?? [])
    await ensurePrograms([peer]).catch((error: unknown) => {
      if (!(error instanceof MissingPackageError)) throw error
      say(error.message)
    })
  const folder = await mkdtemp(join(tmpdir(), `sip-capture-bench-${row.name}-`))
  let figures: Figure[] | undefined
  try {
    const child = fork(new URL('row-process.ts', import.meta.url), [row.name, size, folder], {
      stdio: ['ignore', 2, 2, 'ipc'],
      execArgv: [...process.execArgv, ...(row.nodeArguments ?? [])],
    })
    child.on('message', (message) => {
      figures = figuresOf.parse(message).figures.map(({ value, atMost, atLeast, note, ...one }) => ({
        ...one,
        value: value ?? Number.NaN,
        ...(atMost === undefined ? {} : { atMost }),
        ...(atLeast === undefined ? {} : { atLeast }),
        ...(note === undefined ? {} : { note }),
      }))
    })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (figures) return { row: row.name, seconds: seconds(), figures }
    return { row: row.name, seconds: seconds(), figures: [], problem: `ended with ${code}; see above` }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const toText = (error: unknown): string => (error instanceof Error ? error.message : String(error))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    json: { type: 'string', default: join(repositoryFolder, '.data', 'bench.json') },
  },
})
const unknown = positionals.filter((name) => !rows.some((row) => row.name === name))
if (unknown.length > 0) {
  say('usage: npm run bench [-- NAME … --quick|--full --json FILE]')
  for (const { name, what } of rows) say(`  ${name.padEnd(10)} ${what}`)
  process.exit(64)
}
const size: Size = values.full ? 'full' : values.quick ? 'quick' : 'usual'
const chosen = rows.filter(({ name, isLong }) =>
  positionals.length === 0 ? size !== 'quick' || !isLong : positionals.includes(name),
)
const results: RowResult[] = []
const machine = (): string =>
  `${cpus().length} × ${cpus()[0]?.model ?? ''}, Node ${process.versions.node}, load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`
await ensureServicesBuilt()
const startedAt = new Date().toISOString()
const before = machine()
for (const row of chosen) {
  say(`${row.name}: ${row.what}`)
  const result = await runRow(row, size)
  results.push(result)
  process.stdout.write(
    `\n${row.name} (${result.seconds} s, ${size})${result.problem === undefined ? '' : ` FAILED: ${result.problem}`}\n`,
  )
  if (result.figures.length > 0) process.stdout.write(`${toTable(result.figures)}\n`)
}
if (chosen.length > 1)
  process.stdout.write(
    `\nall rows, ${size}, ${before}\n${toTable(results.flatMap(({ figures }) => figures))}`,
  )
const leftOut = positionals.length === 0 ? rows.filter((row) => !chosen.includes(row)) : []
if (leftOut.length > 0) say(`left out, for they take longer: ${leftOut.map(({ name }) => name).join(', ')}`)
await mkdir(dirname(values.json), { recursive: true })
const withRatios = results.map(({ figures, ...result }) => ({
  ...result,
  figures: figures.map((figure) => ({
    ...figure,
    timesTarget: ratioToTarget(figure),
    reached: isReached(figure),
  })),
}))
await writeFile(
  values.json,
  `${JSON.stringify({ startedAt, size, machine: before, results: withRatios }, undefined, 2)}\n`,
)
say(`written: ${values.json}`)
if (results.some(({ problem }) => problem !== undefined)) process.exitCode = 2
else if (results.some(({ figures }) => figures.some((figure) => isReached(figure) === false)))
  process.exitCode = 1
