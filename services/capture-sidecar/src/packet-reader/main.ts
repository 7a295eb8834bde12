import { writeSync } from 'node:fs'
import { readArguments } from './arguments.ts'
import { CaptureFault } from './capture-fault.ts'
import { exitCodes } from './exit-codes.ts'
import { loadNative, type Native } from './native.ts'
import { PacketReader } from './packet-reader.ts'

const standardOutput = 1
const standardError = 2

// What the system lists it as.
process.title = 'packet-reader'

function end(exitCode: number, problem?: string): void {
  if (problem !== undefined) writeSync(standardError, `${problem}\n`)
  process.exit(exitCode)
}

async function load(): Promise<Native> {
  try {
    return await loadNative()
  } catch (error) {
    throw new CaptureFault(String(error), exitCodes.noLibrary)
  }
}

try {
  const native = await load()
  const interfaces = readArguments(process.argv.slice(2))
  const reader = new PacketReader(native, { interfaces, descriptor: standardOutput, onEnd: end })
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => reader.stop())
} catch (error) {
  const fault = CaptureFault.from(error)
  end(fault.exitCode, fault.message)
}
