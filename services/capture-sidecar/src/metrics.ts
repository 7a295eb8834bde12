import { Gauge, Registry } from 'prom-client'

/** `sip_capture_wire{counter="received"} 12`, read from the counters at each scrape. */
export function createRegistry(counters: () => Record<string, number>): Registry {
  const registry = new Registry()
  const gauge = new Gauge({
    name: 'sip_capture_wire',
    help: 'Counters of the capture sidecar since its start, by name',
    labelNames: ['counter'],
    registers: [registry],
    collect() {
      for (const [counter, value] of Object.entries(counters())) gauge.set({ counter }, value)
    },
  })
  return registry
}
