import t from 'tap'
import type { EndpointDirectory, EndpointEntry } from '@sip-capture/contract/bus/endpoint-directory.ts'
import { createAliases, readAliases } from '../src/directory-aliases.ts'
import { createDirectory, resolveDirection } from '../src/directory.ts'

const endpoint = (name: string, more: Partial<EndpointEntry>): EndpointEntry => ({
  name,
  deviceState: '',
  addresses: [],
  matches: [],
  isTrunk: false,
  contacts: [],
  registrations: [],
  ...more,
})

const directoryOf = (node: string, endpoints: EndpointEntry[]): EndpointDirectory => ({
  v: 1,
  node,
  atMicros: 1,
  endpoints,
  ownAddresses: [{ address: '192.0.2.1', port: 5060 }],
})

const directory = createDirectory([
  directoryOf('pbx', [
    endpoint('6001', { addresses: [{ address: '198.51.100.7', port: 40001 }] }),
    endpoint('acme', { matches: ['203.0.113.0/24', '2001:db8::/32'], isTrunk: true }),
    endpoint('office', { addresses: [{ address: '192.0.2.200', port: 0 }] }),
  ]),
])

t.test(
  'a contact names its own port only: the phone beside it behind the same NAT is somebody else',
  async (t) => {
    t.equal(directory.nameOf({ address: '198.51.100.7', port: 40001 }, 'pbx'), '6001')
    t.equal(directory.nameOf({ address: '198.51.100.7', port: 40002 }, 'pbx'), undefined)
  },
)

t.test('an identify match names every port of its addresses', async (t) => {
  t.equal(directory.nameOf({ address: '203.0.113.9', port: 5060 }, 'pbx'), 'acme')
  t.equal(directory.nameOf({ address: '203.0.113.9', port: 61000 }, 'pbx'), 'acme')
  t.equal(directory.nameOf({ address: '2001:db8::5', port: 5060 }, 'pbx'), 'acme')
  t.equal(directory.nameOf({ address: '203.0.114.9', port: 5060 }, 'pbx'), undefined)
})

t.test('port 0 means any port', async (t) => {
  t.equal(directory.nameOf({ address: '192.0.2.200', port: 12345 }, 'pbx'), 'office')
})

t.test(
  "the PBX's own address decides the direction where the record does not know it, also with one port on both sides (C5)",
  async (t) => {
    const pbx = { address: '192.0.2.1', port: 5060 }
    const peer = { address: '203.0.113.9', port: 5060 }
    const record = { direction: 'unknown' as const, node: 'pbx' }
    t.equal(resolveDirection({ ...record, src: pbx, dst: peer }, directory), 'out')
    t.equal(resolveDirection({ ...record, src: peer, dst: pbx }, directory), 'in')
    t.equal(resolveDirection({ ...record, src: peer, dst: peer }, directory), 'unknown')
  },
)

t.test(
  'names of the user’s own go before the directory, the narrowest first; the trunk keeps its endpoint',
  (t) => {
    const aliases = createAliases({
      '203.0.113.0/24': 'Acme network',
      '203.0.113.9': 'Acme SBC',
      '203.0.113.9:5062': 'Acme backup',
      '203.0.113.128/25': 'Acme north',
      '2001:DB8:0::/32': 'Six',
      '[2001:db8::1]:5060': 'Six, one',
      '+442071838750': 'Head office',
    })
    const named = createDirectory(
      [directoryOf('pbx', [endpoint('acme', { matches: ['203.0.113.0/24'], isTrunk: true })])],
      () => aliases,
    )
    const nameOf = (address: string, port = 5060) => named.nameOf({ address, port }, 'pbx')
    t.equal(nameOf('203.0.113.9', 5062), 'Acme backup')
    t.equal(nameOf('203.0.113.9'), 'Acme SBC')
    t.equal(nameOf('203.0.113.200'), 'Acme north')
    t.equal(nameOf('203.0.113.1'), 'Acme network')
    t.equal(nameOf('2001:db8::1'), 'Six, one')
    t.equal(nameOf('2001:db8::2'), 'Six')
    t.equal(nameOf('198.51.100.1'), undefined)
    t.equal(named.endpointOf({ address: '203.0.113.9', port: 5060 }, 'pbx'), 'acme')
    t.equal(named.endpointOf({ address: '2001:db8::2', port: 5060 }, 'pbx'), 'Six')
    t.same(aliases.numbers, [{ number: '+442071838750', name: 'Head office' }])
    t.end()
  },
)

t.test('a wrong file of names is one sentence that names the setting', (t) => {
  const folder = t.testdir({
    broken: '{',
    list: '["a"]',
    long: JSON.stringify({ '192.0.2.1': 'x'.repeat(257) }),
    control: JSON.stringify({ '192.0.2.1': 'a\nb' }),
    word: JSON.stringify({ reception: 'Reception' }),
    good: JSON.stringify({ '192.0.2.1': 'Reception' }),
  })
  for (const [name, sentence] of [
    ['missing', /^ALIASES_FILE: .*missing cannot be read \(ENOENT\)$/],
    ['broken', /^ALIASES_FILE: .*broken cannot be read \(not JSON\)$/],
    ['list', /^ALIASES_FILE: .*list must be one JSON object/],
    ['long', /^ALIASES_FILE: .*at "192\.0\.2\.1"/],
    ['control', /^ALIASES_FILE: .*must not hold control characters/],
    ['word', /^ALIASES_FILE: .*names "reception", which is no address/],
  ] as const)
    t.throws(() => readAliases(`${folder}/${name}`), { name: 'ConfigError', message: sentence }, name)
  t.equal(readAliases(`${folder}/good`).nameOf({ address: '192.0.2.1', port: 1 }), 'Reception')
  t.end()
})

t.test(
  'sides that came before are named alike, however many there were, and in the words of each node',
  async (t) => {
    const office = endpoint('office', { matches: ['203.0.113.0/24'] })
    const twoNodes = createDirectory([
      directoryOf('a', [office]),
      directoryOf('b', [endpoint('branch', { matches: ['203.0.113.0/24'] })]),
    ])
    for (let round = 0; round < 2; round += 1)
      for (let port = 1; port < 6_000; port += 1)
        if (
          twoNodes.nameOf({ address: '203.0.113.9', port }, port % 2 === 0 ? 'a' : 'b') !==
          (port % 2 === 0 ? 'office' : 'branch')
        )
          t.fail(`${port}`)
    t.equal(twoNodes.nameOf({ address: '203.0.113.9', port: 1 }, 'unheard of'), 'office')
    t.equal(twoNodes.nameOf({ address: '203.0.114.9', port: 1 }, 'a'), undefined)
  },
)

t.test('another file of aliases counts from the next question on', async (t) => {
  let aliases = createAliases({ '203.0.113.0/24': 'before' })
  const named = createDirectory([directoryOf('pbx', [])], () => aliases)
  const side = { address: '203.0.113.9', port: 5060 }
  t.equal(named.nameOf(side, 'pbx'), 'before')
  t.equal(named.endpointOf(side, 'pbx'), 'before')
  aliases = createAliases({ '203.0.113.9:5060': 'after' })
  t.equal(named.nameOf(side, 'pbx'), 'after')
  aliases = createAliases({})
  t.equal(named.nameOf(side, 'pbx'), undefined)
})
