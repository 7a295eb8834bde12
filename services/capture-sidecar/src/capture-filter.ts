import type { PortRange } from './port-list.ts'

/**
 * The capture filter for SIP on these ports. Later IP fragments carry no port, so a plain `udp port N` loses every
 * message above the MTU; hence all fragments of UDP over IPv4 and all over IPv6. `withVlan` finds doubly tagged frames
 * (the kernel takes off one tag itself); it is invalid on `any`, and the capture would never start.
 */
export function captureFilter(ports: readonly PortRange[], options: { withVlan: boolean }): string {
  const onPorts = ports.flatMap(({ from, to }) => {
    const what = from === to ? `port ${from}` : `portrange ${from}-${to}`
    return [`udp ${what}`, `tcp ${what}`, `sctp ${what}`]
  })
  const plain = [...onPorts, '(ip proto 17 and (ip[6:2] & 0x1fff != 0))', 'ip6 proto 44'].join(' or ')
  return options.withVlan ? `${plain} or (vlan and (${plain} or (vlan and (${plain}))))` : plain
}
