import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { compareFile, findCaptures, type FileResult } from '../conformance/conformance.ts'
import { roundTrip } from '../conformance/round-trip.ts'
import { ensurePrograms, tsharkProgram } from '../debian-packages.ts'
import { exitWithSentence } from '../run-stack.ts'

const maxUnexplainedShown = 5
const roundTripOption = '--round-trip'
const usage =
  'usage: npm run conformance -- DIR                 SIP messages by tshark and by ours, and why they differ\n' +
  '       npm run conformance -- --round-trip DIR    read, written and read again: the same packets and stamps\n'

/** `npm run conformance -- DIR`: each capture below DIR by tshark and by ours. Exit code 1 if anything is unexplained. */
async function conformance(): Promise<void> {
  const args = process.argv.slice(2)
  const path = args.find((arg) => arg !== roundTripOption)
  // npm starts commands at the root; the path counts from where npm was called.
  const folder = path === undefined ? undefined : resolve(process.env['INIT_CWD'] ?? '.', path)
  if (folder === undefined || !(await isFolder(folder))) {
    process.stderr.write(usage)
    process.exitCode = 64
    return
  }
  await ensurePrograms([tsharkProgram])
  const files = await findCaptures(folder)
  const width = Math.max(4, ...files.map((file) => file.length))
  const isSound = args.includes(roundTripOption)
    ? await roundTripAll(folder, files, width)
    : await compareAll(folder, files, width)
  if (!isSound || files.length === 0) process.exitCode = 1
}

async function compareAll(folder: string, files: readonly string[], width: number): Promise<boolean> {
  process.stdout.write(`${'file'.padEnd(width)}  tshark   ours   same  equal      why they differ\n`)
  const total = { tshark: 0, ours: 0, same: 0, equal: 0, unexplained: 0 }
  for (const file of files) {
    const result = await compareFile(folder, file)
    total.tshark += result.tshark
    total.ours += result.ours
    total.same += result.same
    if (result.isEqual) total.equal += 1
    if (result.unexplained.length > 0) total.unexplained += 1
    process.stdout.write(`${toRow(result, width)}\n`)
  }
  const { tshark, ours, same, equal, unexplained } = total
  process.stdout.write(
    `\n${files.length} files, ${tshark} messages by tshark, ${ours} by ours, ${same} with the same bytes: ` +
      `${equal} equal, ${files.length - equal - unexplained} accounted for, ${unexplained} unexplained\n`,
  )
  return unexplained === 0
}

async function roundTripAll(folder: string, files: readonly string[], width: number): Promise<boolean> {
  process.stdout.write(`${'file'.padEnd(width)}  packets  came back\n`)
  let packets = 0
  let faulty = 0
  for (const file of files) {
    const result = await roundTrip(join(folder, file))
    packets += result.packets
    if (result.faults.length > 0) faulty += 1
    const verdict = result.faults.length === 0 ? 'yes' : `NO: ${result.faults.join('; ')}`
    const note = result.problem === null ? '' : ` (file: ${result.problem})`
    process.stdout.write(`${file.padEnd(width)}  ${String(result.packets).padStart(7)}  ${verdict}${note}\n`)
  }
  process.stdout.write(`\n${files.length} files, ${packets} packets: ${faulty} files not as they were\n`)
  return faulty === 0
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory()
  } catch {
    return false
  }
}

function toRow(result: FileResult, width: number): string {
  const { file, tshark, ours, same, isEqual, reasons, unexplained, problems } = result
  const verdict = isEqual ? 'yes' : unexplained.length === 0 ? 'accounted' : 'NO'
  const indent = `\n${' '.repeat(width + 35)}`
  const lines = [...reasons].map(([reason, count]) => `${count} × ${reason}`)
  lines.push(...unexplained.slice(0, maxUnexplainedShown).map((what) => `unexplained: ${what}`))
  if (unexplained.length > maxUnexplainedShown) {
    lines.push(`unexplained: ${unexplained.length - maxUnexplainedShown} more`)
  }
  lines.push(...problems.map((problem) => `file: ${problem}`))
  const figures = [tshark, ours, same].map((figure) => String(figure).padStart(6)).join(' ')
  return `${file.padEnd(width)}  ${figures}  ${verdict.padEnd(9)}  ${lines.join(indent)}`.trimEnd()
}

try {
  await conformance()
} catch (error) {
  exitWithSentence(error)
}
