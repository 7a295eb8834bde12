import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { repositoryFolder } from '../repository.ts'

interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function node(args: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<Run> {
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      })
    })
  })
}

/** A repository with nothing but the bootstrap and one command, and an `npx` that notes how it was called. */
async function makeRepository(
  t: { teardown(end: () => Promise<void>): void },
  command: string,
): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'sip-capture-bootstrap-'))
  t.teardown(() => rm(root, { recursive: true, force: true }))
  await mkdir(join(root, 'infra/commands'), { recursive: true })
  await mkdir(join(root, 'node_modules'))
  await symlink(join(repositoryFolder, 'node_modules/tsx'), join(root, 'node_modules/tsx'))
  await mkdir(join(root, 'bin'))
  await cp(join(repositoryFolder, 'infra/bootstrap.mjs'), join(root, 'infra/bootstrap.mjs'))
  await writeFile(join(root, 'infra/commands/say.ts'), command)
  await writeFile(join(root, 'pnpm-lock.yaml'), 'one')
  await writeFile(join(root, 'pnpm-workspace.yaml'), '')
  await writeFile(join(root, 'package.json'), '{"type":"module","packageManager":"pnpm@12.20.0"}')
  await writeFile(join(root, 'bin/npx'), '#!/bin/sh\necho "npx $*" >&2\n', { mode: 0o755 })
  return root
}

t.test('installs with the pinned major of pnpm, and again only when the lockfile changed', async (t) => {
  const root = await makeRepository(t, 'export {}')
  // Only Node itself and our `npx` are to be found.
  const env = { ...process.env, PATH: `${join(root, 'bin')}:/usr/bin:/bin` }
  const bootstrap = join(root, 'infra/bootstrap.mjs')
  const first = await node([bootstrap, 'say'], env)
  t.match(first, { code: 0, stderr: /npx --yes pnpm@12 install --frozen-lockfile/ })
  const second = await node([bootstrap, 'say'], env)
  t.match(second, { code: 0, stderr: '' })
  t.notMatch(second.stderr, 'npx')
  await writeFile(join(root, 'pnpm-lock.yaml'), 'two')
  t.match((await node([bootstrap, 'say'], env)).stderr, 'npx --yes pnpm@12')
})

t.test('an install that fails ends with a sentence and is tried again the next time', async (t) => {
  const root = await makeRepository(t, 'export {}')
  await writeFile(join(root, 'bin/npx'), '#!/bin/sh\nexit 7\n', { mode: 0o755 })
  const env = { ...process.env, PATH: `${join(root, 'bin')}:/usr/bin:/bin` }
  for (let attempt = 0; attempt < 2; attempt += 1) {
    t.match(await node([join(root, 'infra/bootstrap.mjs'), 'say'], env), {
      code: 1,
      stderr: /could not be installed/,
    })
  }
})

t.test("passes arguments on and ends with the command's exit code", async (t) => {
  const root = await makeRepository(t, 'console.log(process.argv.slice(2).join("|")); process.exitCode = 3')
  const env = { ...process.env, PATH: `${join(root, 'bin')}:/usr/bin:/bin` }
  t.match(await node([join(root, 'infra/bootstrap.mjs'), 'say', '--minutes', '2'], env), {
    code: 3,
    stdout: '--minutes|2\n',
  })
})

t.test('an unknown command names the known ones', async (t) => {
  for (const args of [[], ['deploy'], ['../start']]) {
    const { code, stderr } = await node([join(repositoryFolder, 'infra/bootstrap.mjs'), ...args])
    t.equal(code, 64)
    t.match(stderr, /<bench\|check\|conformance\|demo\|start\|test>/)
  }
})

t.test('a Node that is too old is told in one sentence', async (t) => {
  const root = await makeRepository(t, 'export {}')
  const pretend = `Object.defineProperty(process.versions, 'node', { value: '18.20.4' })`
  await writeFile(join(root, 'old.mjs'), pretend)
  const { code, stderr } = await node([
    '--import',
    join(root, 'old.mjs'),
    join(root, 'infra/bootstrap.mjs'),
    'say',
  ])
  t.equal(code, 78)
  t.equal(stderr.trim().split('\n').length, 1)
  t.match(stderr, /needs Node 20\.19 or newer; this is Node 18\.20\.4/)
})
