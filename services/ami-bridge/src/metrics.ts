import type { SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import type { RunningService } from '@sip-capture/service/lifecycle.ts'
import { startMetricsServer } from '@sip-capture/service/metrics.ts'
import { Gauge, Registry } from 'prom-client'

/** @throws ConfigError when METRICS_PORT cannot be had. */
export async function startMetrics(
  port: number | undefined,
  status: () => SourceStatus,
): Promise<RunningService | undefined> {
  if (port === undefined) return undefined
  const registry = new Registry()
  const up = new Gauge({
    name: 'sip_capture_bridge_up',
    help: '1 while SIP is read, else 0',
    registers: [registry],
    collect() {
      this.set(status().state === 'up' ? 1 : 0)
    },
  })
  const counters = new Gauge({
    name: 'sip_capture_bridge_count',
    help: 'The counters of the heartbeat, since start',
    labelNames: ['counter'],
    registers: [registry],
    collect() {
      for (const [counter, value] of Object.entries(status().counters)) this.set({ counter }, value)
    },
  })
  up.set(0)
  counters.reset()
  return startMetricsServer({ port, registry })
}
