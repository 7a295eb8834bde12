import { execFileSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'

const ip = (...words: string[]): void => {
  execFileSync('ip', words, { stdio: ['ignore', 'ignore', 'pipe'] })
}

export const phoneAddress = { 4: '192.0.2.1', 6: '2001:db8::1' } as const
export const pbxAddress = { 4: '192.0.2.10', 6: '2001:db8::10' } as const

export interface TestNetwork {
  /** For TSHARK_COMMAND: runs the real tshark where the PBX (or the bridge) is. */
  readonly tshark: string
  /** Before a command that is to run there. */
  readonly prefix: readonly string[]
  /** Sends datagrams from the phone to the PBX in order, from port 5060 to `port`. */
  send(version: 4 | 6, port: number, payloads: readonly Uint8Array[]): void
  /** Runs `ip` there. */
  ip(...words: string[]): void
}

/**
 * A phone and a PBX in network namespaces of their own, MTU 1500. Without a bridge tshark runs beside the PBX, whose
 * interface is `eth0`; with one it runs on the machine in the middle.
 */
export function createNetwork(t: Test, options: { withBridge: boolean }): TestNetwork {
  const folder = mkdtempSync(join(tmpdir(), 'sip-capture-net-'))
  const name = (what: string): string => `sc-${process.pid}-${t.name.length}-${what}`
  const [phone, pbx, middle] = [name('phone'), name('pbx'), name('middle')]
  const spaces = options.withBridge ? [phone, pbx, middle] : [phone, pbx]
  t.teardown(() => {
    for (const space of spaces) ip('netns', 'del', space)
    rmSync(folder, { recursive: true, force: true })
  })
  for (const space of spaces) {
    ip('netns', 'add', space)
    ip('-n', space, 'link', 'set', 'lo', 'up')
  }
  if (options.withBridge) {
    ip('-n', middle, 'link', 'add', 'br0', 'type', 'bridge')
    ip('-n', middle, 'link', 'set', 'br0', 'up')
    for (const [space, port] of [
      [phone, 'p0'],
      [pbx, 'p1'],
    ] as const) {
      ip('-n', middle, 'link', 'add', port, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space)
      ip('-n', middle, 'link', 'set', port, 'master', 'br0', 'up')
    }
  } else {
    ip('-n', phone, 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pbx)
  }
  for (const [space, address] of [
    [phone, phoneAddress],
    [pbx, pbxAddress],
  ] as const) {
    ip('-n', space, 'addr', 'add', `${address[4]}/24`, 'dev', 'eth0')
    ip('-n', space, 'addr', 'add', `${address[6]}/64`, 'dev', 'eth0', 'nodad')
    ip('-n', space, 'link', 'set', 'eth0', 'up')
  }
  const where = options.withBridge ? middle : pbx
  const tshark = join(folder, 'tshark')
  writeFileSync(tshark, `#!/bin/sh\nexec ip netns exec ${where} tshark "$@"\n`)
  chmodSync(tshark, 0o755)
  return {
    tshark,
    prefix: ['ip', 'netns', 'exec', where],
    ip: (...words) => ip('-n', where, ...words),
    send(version, port, payloads) {
      const list = JSON.stringify(payloads.map((payload) => Buffer.from(payload).toString('base64')))
      const script = `
        const socket = require('node:dgram').createSocket('udp${version}')
        socket.on('error', () => {})
        socket.bind(5060, async () => {
          for (const text of ${list}) {
            await new Promise((done) => socket.send(Buffer.from(text, 'base64'), ${port}, '${pbxAddress[version]}', done))
          }
          socket.close()
        })`
      execFileSync('ip', ['netns', 'exec', phone, process.execPath, '-e', script], { stdio: 'inherit' })
    },
  }
}
