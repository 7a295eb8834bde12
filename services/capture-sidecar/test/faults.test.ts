import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { createHarness, createSender, sipRequest, until } from './harness.ts'

t.test('switched off it says how to switch it on, and idles', async (t) => {
  const harness = await createHarness(t)
  await harness.start({ TSHARK_ENABLED: 'false', TSHARK_COMMAND: '/nonexistent' })
  const status = await harness.statusWhere(() => true, 'a heartbeat')
  t.match(status, { state: 'off', detail: /TSHARK_ENABLED=true/, lastMessageAtMicros: null })
})

t.test(
  'each lasting fault is one state with one sentence that names the setting, and no crash',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sip-capture-fault-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const notRunnable = join(folder, 'tshark')
    writeFileSync(notRunnable, 'no program', { mode: 0o644 })
    for (const [env, detail] of [
      [
        { TSHARK_COMMAND: '/nonexistent/tshark' },
        /^TSHARK_COMMAND: "\/nonexistent\/tshark": there is no such program/,
      ],
      [{ TSHARK_COMMAND: notRunnable }, /^TSHARK_COMMAND: .*EACCES/],
      ...(['auto', 'tshark'] as const).flatMap((command): [Record<string, string>, RegExp][] => {
        const name = command === 'auto' ? 'libpcap' : 'tshark'
        const refused = new RegExp(`^TSHARK_FILTER: ${name} refuses the filter: .*udp prt 5`)
        return [
          [
            { TSHARK_COMMAND: command, TSHARK_INTERFACE: 'nope0' },
            /^TSHARK_INTERFACE: there is no interface nope0: .*nope0/,
          ],
          [{ TSHARK_COMMAND: command, TSHARK_FILTER: 'udp prt 5' }, refused],
          [
            { TSHARK_COMMAND: command, TSHARK_FILTER: 'vlan and udp', TSHARK_INTERFACE: 'any' },
            new RegExp(`^TSHARK_FILTER: ${name} refuses`),
          ],
        ]
      }),
      [{ TSHARK_INTERFACE: '/nonexistent/file.pcap' }, /^TSHARK_INTERFACE: .*cannot be read: ENOENT/],
      [{ TSHARK_INTERFACE: notRunnable }, /^TSHARK_INTERFACE: .*: neither a pcap nor a pcapng/],
    ] as const) {
      const harness = await createHarness(t)
      const close = await harness.start(env)
      const status = await harness.statusWhere(({ state }) => state === 'failed', JSON.stringify(env))
      t.match(status.detail, detail)
      t.notMatch(status.detail, /\n/)
      await close()
    }
  },
)

t.test(
  'a program that ends at once is tried again with growing pauses, and the gap stays open',
  async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'sip-capture-fault-'))
    t.teardown(() => rmSync(folder, { recursive: true, force: true }))
    const command = join(folder, 'refusing')
    writeFileSync(
      command,
      '#!/bin/sh\necho "You do not have permission to capture (Operation not permitted)" >&2\nexit 2\n',
    )
    chmodSync(command, 0o755)
    const harness = await createHarness(t)
    await harness.start({ TSHARK_COMMAND: command })
    const status = await harness.statusWhere(
      ({ state, counters }) => state === 'failed' && (counters['restarts'] ?? 0) >= 3,
      'three tries',
    )
    t.match(status, { state: 'failed', detail: /CAP_NET_RAW.*Operation not permitted/ })
    t.equal(status.gaps.length, 1)
    // Mended while the service runs: it recovers by itself.
    writeFileSync(command, '#!/bin/sh\nexec tshark "$@"\n')
    const up = await harness.statusWhere(({ state }) => state === 'up', 'recovered')
    t.equal(up.gaps.length, 1)
    const sender = await createSender(t)
    await sender.send(sipRequest('after'), harness.port)
    await until(async () => (await harness.records()).length === 1, 'a record')
  },
)

t.test('bytes that are no capture are told, and tshark is started anew', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'sip-capture-fault-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const command = join(folder, 'babbling')
  writeFileSync(command, '#!/bin/sh\necho "this is not a capture"\nexec sleep 600\n')
  chmodSync(command, 0o755)
  const harness = await createHarness(t)
  await harness.start({ TSHARK_COMMAND: command })
  const status = await harness.statusWhere(({ state }) => state === 'failed', 'failed')
  t.match(status.detail, /could not be read: neither a pcap nor a pcapng/)
})
