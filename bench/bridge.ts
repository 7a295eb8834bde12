import { setTimeout as pause } from 'node:timers/promises'
import { findFreePort } from '@sip-capture/testing/free-port.ts'
import { startTestPbx } from '@sip-capture/infra/test-pbx/test-pbx.ts'
import { toHep } from './hep.ts'
import { cpuDuring, startService } from './processes.ts'
import type { RunRow } from './row.ts'
import { startBus } from './system.ts'
import { TrafficLoop } from './traffic-loop.ts'
import { sendDatagrams } from './udp-sender.ts'

const perSecond = 1_000

/** A bridge at a real Asterisk that is idle; the messages come by HEP, as from a busy one. */
export const run: RunRow = async ({ pick }) => {
  const seconds = pick(4, 30, 60)
  const [pbx, bus, port] = [await startTestPbx(), await startBus(), await findFreePort()]
  const bridge = startService('ami-bridge', {
    REDIS_URL: bus.redis.url,
    AMI_HOST: pbx.address,
    AMI_PORT: String(pbx.amiPort),
    AMI_USERNAME: pbx.amiUsername,
    AMI_SECRET: pbx.amiSecret,
    AMI_TAP: 'hep',
    HEP_LISTEN: `127.0.0.1:${port}`,
  })
  try {
    // `degraded`: HEP is wanted and has brought nothing yet.
    while (!['up', 'degraded'].includes((await bus.status('ami'))?.state ?? '')) await pause(50)
    const loop = new TrafficLoop(13_000)
    const send = (duration: number): Promise<number> =>
      sendDatagrams({
        port,
        perSecond,
        seconds: duration,
        next: () => toHep(loop.takePayload(), 'PJSIP/carrier-0000002a'),
      })
    let wanted = 0
    const cpuAtRate = (duration: number) => cpuDuring(bridge, async () => (wanted += await send(duration)))
    // Node goes on compiling what is run often for some two minutes; a bridge runs for months.
    const first = await cpuAtRate(pick(3, 40, 40))
    wanted += await send(pick(0, 80, 80))
    const used = await cpuAtRate(seconds)
    await pause(2_000)
    const idle = await cpuDuring(bridge, () => pause(pick(1, 10, 20) * 1_000))
    let written = 0
    for (let n = 0; n < 15 && written < wanted; n++) {
      await pause(1_000)
      written = (await bus.status('ami'))?.counters['written'] ?? 0
    }
    return [
      {
        name: 'bridge: CPU at 1,000 messages/s by HEP',
        value: (used.own / used.seconds) * 100,
        unit: '% of a core',
        atMost: 4,
      },
      {
        name: 'bridge: CPU in its first 40 s at that rate',
        value: (first.own / first.seconds) * 100,
        unit: '% of a core',
      },
      {
        name: 'bridge: CPU while nothing comes',
        value: (idle.own / idle.seconds) * 100,
        unit: '% of a core',
      },
      {
        name: `bridge: lost of ${wanted.toLocaleString('en-US')}`,
        value: wanted - written,
        unit: 'messages',
        atMost: 0,
      },
      { name: 'bridge: peak memory', value: bridge.memory().peak / 1e6, unit: 'MB' },
    ]
  } finally {
    await bridge.stop()
    await bus.stop()
    await pbx.stop()
  }
}
