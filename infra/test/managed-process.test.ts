import { EventEmitter, once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import t from 'tap'
import { isAlive } from '@sip-capture/testing/process-state.ts'
import { createManagedProcess, type ManagedProcess } from '../managed-process.ts'

interface Observed {
  readonly managed: ManagedProcess
  readonly events: EventEmitter
}

function run(t: Tap, script: string): Observed {
  const events = new EventEmitter()
  const managed = createManagedProcess({
    name: 'subject',
    command: [process.execPath, '-e', script],
    cwd: process.cwd(),
    env: { PATH: process.env['PATH'] ?? '' },
    onLine: (line) => events.emit('line', line),
    onUnexpectedExit: (how, pauseMs) => events.emit('exit', how, pauseMs),
  })
  t.teardown(() => managed.stop(1000))
  return { managed, events }
}

type Tap = Pick<typeof t, 'teardown'>

const forever = 'setInterval(() => {}, 1e6)'

t.test('a process that crashes is started again with growing pauses', async (t) => {
  const { managed, events } = run(t, `console.log('up'); ${forever}`)
  const pauses: unknown[] = []
  let up = once(events, 'line')
  managed.start()
  for (let crash = 0; crash < 3; crash += 1) {
    await up
    up = once(events, 'line')
    const exit = once(events, 'exit')
    managed.kill('SIGKILL')
    pauses.push(...(await exit))
  }
  await up
  t.same(pauses, ['signal SIGKILL', 500, 'signal SIGKILL', 1000, 'signal SIGKILL', 2000])
  t.equal(managed.starts, 4)
  t.equal(managed.state, 'running')
})

t.test('a process that says a setting is wrong is not started again', async (t) => {
  const { managed, events } = run(t, `console.error('api: API_PORT: a port number'); process.exit(78)`)
  const exit = once(events, 'exit')
  managed.start()
  t.same(await exit, ['exit code 78', null])
  t.equal(managed.state, 'config-fault')
  t.same(managed.lastErrors, ['api: API_PORT: a port number'])
  t.equal(managed.starts, 1)
})

t.test('what a killed process leaves behind in its group ends with it', async (t) => {
  const child = `const c = require('node:child_process').spawn('sleep', ['300'], { stdio: 'inherit' }); console.log(c.pid)`
  const { managed, events } = run(t, `${child}; ${forever}`)
  const line = once(events, 'line')
  managed.start()
  const orphan = Number((await line)[0])
  t.ok(isAlive(orphan))
  const exit = once(events, 'exit')
  managed.kill('SIGKILL')
  // `close` comes only when the orphan has let go of the pipes.
  await exit
  // Its pipes are closed a moment before it is gone.
  while (isAlive(orphan)) await pause(20)
  t.notOk(isAlive(orphan))
})

t.test('stop ends a process that does not listen to SIGTERM, and one that is stopped', async (t) => {
  const deaf = run(t, `process.on('SIGTERM', () => {}); console.log('up'); ${forever}`)
  const up = once(deaf.events, 'line')
  deaf.managed.start()
  await up
  const deafPid = deaf.managed.pid ?? 0
  await deaf.managed.stop(300)
  t.notOk(isAlive(deafPid))
  t.equal(deaf.managed.state, 'stopped')

  const halted = run(t, `console.log('up'); ${forever}`)
  const started = once(halted.events, 'line')
  halted.managed.start()
  await started
  halted.managed.kill('SIGSTOP')
  await halted.managed.stop(60_000)
  t.equal(halted.managed.pid, null)
})

t.test('a program that is not there is told and tried again, not thrown', async (t) => {
  const events = new EventEmitter()
  const managed = createManagedProcess({
    name: 'subject',
    command: ['/nonexistent/program'],
    cwd: process.cwd(),
    env: { PATH: process.env['PATH'] ?? '' },
    onLine: () => undefined,
    onUnexpectedExit: (how) => events.emit('exit', how),
  })
  t.teardown(() => managed.stop())
  const exit = once(events, 'exit')
  managed.start()
  t.same(await exit, ['exit code 127'])
  t.match(managed.lastErrors.join('\n'), 'No such file')
})
