import { execFileSync, spawn } from 'node:child_process'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { until } from '../system.ts'

export interface Certificate {
  readonly key: string
  readonly certificate: string
}

/** A certificate that only who is given it trusts, in files of that folder. */
export function makeCertificate(folder: string, name: string): Certificate {
  const [key, certificate] = [join(folder, `${name}.key`), join(folder, `${name}.pem`)]
  const make = 'req -x509 -newkey rsa:2048 -nodes -days 2'
  const files = ['-subj', `/CN=${name}`, '-keyout', key, '-out', certificate]
  execFileSync('openssl', [...make.split(' '), ...files], { stdio: 'pipe' })
  return { key, certificate }
}

/** A far side that speaks TLS with a certificate that nobody trusts, until the test ends. */
export async function startTlsStranger(t: Test, folder: string, address: string): Promise<void> {
  const { key, certificate } = makeCertificate(folder, 'stranger')
  const server = [
    'openssl',
    's_server',
    '-accept',
    `${address}:5061`,
    '-key',
    key,
    '-cert',
    certificate,
    '-quiet',
  ]
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...server], { stdio: 'ignore' })
  t.teardown(() => child.kill('SIGKILL'))
  await until(() => accepts(address), 'the far side to speak TLS')
}

function accepts(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: 5061 })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => {
      resolve(false)
    })
  })
}
