import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const chatty = fileURLToPath(new URL('chatty-process.ts', import.meta.url))

t.test('a stalled reader of the log does not stall the service; what was dropped is counted', async (t) => {
  const lines = 20_000
  const child = spawn(process.execPath, ['--import', 'tsx', chatty, String(lines)], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdout.pause()
  // It says so on stderr after all lines were logged, with nobody having read one of them.
  const [said] = await once(child.stderr, 'data')
  t.match(String(said), 'all logged')

  let read = 0
  let dropped: number | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const entry: { msg: string; lines?: number } = JSON.parse(line)
    if (entry.lines === undefined) read += 1
    else dropped = entry.lines
    if (dropped !== undefined) break
  }
  t.ok(dropped !== undefined && dropped > 0, 'the warning says how many')
  t.equal(read + (dropped ?? 0), lines, 'each line was read or counted')
})

t.test('the last words before an exit are not lost', async (t) => {
  const child = spawn(process.execPath, ['--import', 'tsx', chatty, '3', 'exit'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  for await (const chunk of child.stdout) out += String(chunk)
  t.equal(out.trim().split('\n').length, 3)
})
