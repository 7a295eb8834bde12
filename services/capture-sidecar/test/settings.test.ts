import { execFileSync } from 'node:child_process'
import t from 'tap'
import { ConfigError, readConfig } from '@sip-capture/service/config.ts'
import { captureFilter } from '../src/capture-filter.ts'
import { settings } from '../src/config.ts'
import { directionOf, toOwnAddresses } from '../src/direction.ts'
import { createPortTest, parsePorts } from '../src/port-list.ts'

const fault = (env: Record<string, string>): string => {
  try {
    readConfig(settings, env)
    return ''
  } catch (error) {
    return error instanceof ConfigError ? error.message : 'another error'
  }
}

function compiles(name: string, filter: string): boolean {
  try {
    execFileSync('dumpcap', ['-d', '-i', name, '-f', filter], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const loopback = (port: number) => ({ address: '127.0.0.1', port })

t.test('the defaults are those that are documented', async (t) => {
  t.match(readConfig(settings, {}), {
    TSHARK_ENABLED: false,
    TSHARK_INTERFACE: ['any'],
    TSHARK_PORT: [{ from: 5080, to: 5080 }],
    TSHARK_COMMAND: 'auto',
  })
  t.equal(readConfig(settings, {}).TSHARK_FILTER, undefined)
})

t.test('ports may be a list with ranges; what is none is named', async (t) => {
  t.same(readConfig(settings, { TSHARK_PORT: '5060, 5080,6000-6010' }).TSHARK_PORT, [
    { from: 5060, to: 5060 },
    { from: 5080, to: 5080 },
    { from: 6000, to: 6010 },
  ])
  for (const wrong of ['0', '65536', 'sip', '5060,', '7-6', '5060 or 1', '-1']) {
    t.match(fault({ TSHARK_PORT: wrong }), /^TSHARK_PORT: .*is not a port/, wrong)
  }
  const isSipPort = createPortTest([{ from: 6000, to: 6010 }])
  t.same([5999, 6000, 6010, 6011].map(isSipPort), [false, true, true, false])
})

t.test('an interface cannot smuggle in an option', async (t) => {
  t.same(readConfig(settings, { TSHARK_INTERFACE: 'eth0, lo' }).TSHARK_INTERFACE, ['eth0', 'lo'])
  for (const wrong of ['-w', 'eth0,-w/etc/x', 'eth0,,lo', 'a b', 'a\nb']) {
    t.match(fault({ TSHARK_INTERFACE: wrong }), /^TSHARK_INTERFACE/, wrong)
  }
})

t.test('all faults are told at once', async (t) => {
  const message = fault({ TSHARK_PORT: 'x', TSHARK_ENABLED: 'perhaps', TSHARK_INTERFACE: '-i' })
  for (const name of ['TSHARK_PORT', 'TSHARK_ENABLED', 'TSHARK_INTERFACE'])
    t.match(message, new RegExp(`^${name}`, 'm'))
})

t.test('the filters are ones that dumpcap compiles, with VLAN on a named interface only', async (t) => {
  const ports = parsePorts('5060,6000-6010')
  if (typeof ports === 'string') throw new Error(ports)
  t.ok(compiles('any', captureFilter(ports, { withVlan: false })))
  t.ok(compiles('lo', captureFilter(ports, { withVlan: true })))
  // `faults.test.ts` shows that a capture on `any` refuses the word.
  t.notMatch(captureFilter(ports, { withVlan: false }), /vlan/)
})

t.test("direction: the PBX's own address decides, also with 5060 on both sides (C5)", async (t) => {
  const isSipPort = createPortTest([{ from: 5060, to: 5060 }])
  const own = toOwnAddresses([], ['192.0.2.10', '127.0.0.1'])
  const phone = { address: '192.0.2.1', port: 5060 }
  const pbx = { address: '192.0.2.10', port: 5060 }
  t.equal(directionOf(phone, pbx, own, isSipPort), 'in')
  t.equal(directionOf(pbx, phone, own, isSipPort), 'out')
  t.equal(
    directionOf(phone, { address: '198.51.100.1', port: 5080 }, own, isSipPort),
    'unknown',
    'neither is the PBX',
  )
})

t.test(
  "direction on loopback: Asterisk's transport port decides, then TSHARK_PORT, else it is not known",
  async (t) => {
    const isSipPort = createPortTest([{ from: 5080, to: 5080 }])
    const byPort = toOwnAddresses([], ['127.0.0.1'])
    t.equal(directionOf(loopback(40_000), loopback(5080), byPort, isSipPort), 'in')
    t.equal(directionOf(loopback(5080), loopback(40_000), byPort, isSipPort), 'out')
    t.equal(directionOf(loopback(5080), loopback(5080), byPort, isSipPort), 'unknown')
    t.equal(directionOf(loopback(1), loopback(2), byPort, isSipPort), 'unknown')
    const told = toOwnAddresses([{ address: '0.0.0.0', port: 5070 }], ['127.0.0.1', '192.0.2.10'])
    t.equal(directionOf(loopback(5080), loopback(5070), told, isSipPort), 'in', 'against TSHARK_PORT')
    t.equal(
      directionOf(
        { address: '192.0.2.10', port: 33_333 },
        { address: '198.51.100.1', port: 5060 },
        told,
        isSipPort,
      ),
      'out',
    )
  },
)
