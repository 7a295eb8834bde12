import { execFileSync, spawn } from 'node:child_process'
import { readlinkSync } from 'node:fs'
import type { Test } from 'tap'
import { until } from '../system.ts'

/** Asterisk's address on the side that the router calls outside. */
export const pbxOutside = '203.0.113.1'
const routerOutside = '203.0.113.2'
const routerInside = '192.168.50.1'

export interface Nat {
  /** Id of a process in the network namespace of the phones. */
  readonly phones: number
}

/** A router with NAT beside the network that this runs in, and phones behind it, each in a network namespace of its own. Every
 *  phone has an outside address of its own, so that Asterisk can tell them apart. From outside nobody gets to an inside
 *  address that the router was not asked for, as everywhere on the Internet. `addresses`: inside and outside of each. */
export async function startNat(t: Test, addresses: readonly (readonly [string, string])[]): Promise<Nat> {
  const router = await startNamespace(t)
  const phones = await startNamespace(t)
  ip(`link add outside type veth peer name outside netns ${router}`)
  ip(`address add ${pbxOutside}/24 dev outside`)
  ip('link set outside up')
  ip(`route add default via ${routerOutside}`)
  ip(`link add inside type veth peer name inside netns ${phones}`, router)
  for (const address of [routerOutside, ...addresses.map(([, outside]) => outside)])
    ip(`address add ${address}/24 dev outside`, router)
  ip(`address add ${routerInside}/24 dev inside`, router)
  for (const [inside] of addresses) ip(`address add ${inside}/24 dev inside`, phones)
  for (const link of ['lo', 'outside', 'inside']) ip(`link set ${link} up`, router)
  for (const link of ['lo', 'inside']) ip(`link set ${link} up`, phones)
  ip(`route add default via ${routerInside}`, phones)
  inNamespace(router, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
  const mapping = addresses.map(([inside, outside]) => `${inside} : ${outside}`).join(', ')
  inNamespace(
    router,
    'nft',
    `table ip nat {
       chain sources { type nat hook postrouting priority 100; oifname "outside" snat to ip saddr map { ${mapping} }; }
       chain strangers { type filter hook prerouting priority -300; iifname "outside" ip daddr 192.168.0.0/16 drop; }
     }`,
  )
  return { phones }
}

/** A process that does nothing but keep a network namespace, and ends with the test or with us. */
async function startNamespace(t: Test): Promise<number> {
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', 'unshare', '--net', 'sleep', 'infinity'], {
    stdio: 'ignore',
  })
  t.teardown(() => child.kill('SIGKILL'))
  const pid = child.pid ?? 0
  const own = readlinkSync('/proc/self/ns/net')
  await until(async () => readlinkSync(`/proc/${pid}/ns/net`) !== own, 'a network namespace')
  return pid
}

function ip(command: string, namespace?: number): void {
  inNamespace(namespace, 'ip', ...command.split(' '))
}

function inNamespace(namespace: number | undefined, program: string, ...args: readonly string[]): void {
  const inside = namespace === undefined ? [] : ['nsenter', '--net', '--target', `${namespace}`]
  const [file = program, ...rest] = [...inside, program, ...args]
  execFileSync(file, rest, { stdio: 'pipe' })
}
