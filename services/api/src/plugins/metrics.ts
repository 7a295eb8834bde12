import fastifyPlugin from 'fastify-plugin'
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Numbers by name, read when asked. */
export type NumberSource = () => Readonly<Record<string, number>>

export interface MetricsOptions {
  readonly registry: Registry
  /** Sums since start: what happened to messages. */
  readonly counters: NumberSource
  /** What is so at the moment. */
  readonly gauges: NumberSource
}

const toName = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

/** What happened and what is so, into the registry. */
export function collectMetrics({ registry, counters, gauges }: MetricsOptions): void {
  collectDefaultMetrics({ register: registry })
  const events = new Counter({
    name: 'sip_capture_api_events_total',
    help: 'Messages and entries by what became of them',
    labelNames: ['event'],
    registers: [registry],
    collect() {
      this.reset()
      for (const [name, value] of Object.entries(counters())) this.inc({ event: toName(name) }, value)
    },
  })
  const states = new Gauge({
    name: 'sip_capture_api_state',
    help: 'What is so at the moment',
    labelNames: ['what'],
    registers: [registry],
    collect() {
      for (const [name, value] of Object.entries(gauges())) this.set({ what: toName(name) }, value)
    },
  })
  void events
  void states
}

/** `/metrics` for Prometheus, and how long requests take. */
export const metrics = fastifyPlugin<MetricsOptions>(
  (app, options, done) => {
    const { registry } = options
    collectMetrics(options)
    const durations = new Histogram({
      name: 'sip_capture_api_request_seconds',
      help: 'Time to answer',
      labelNames: ['route', 'status'],
      buckets: [0.005, 0.02, 0.1, 0.5, 2, 10],
      registers: [registry],
    })
    app.addHook('onResponse', (request, reply, next) => {
      durations.observe(
        { route: request.routeOptions.url ?? 'unknown', status: String(reply.statusCode) },
        reply.elapsedTime / 1000,
      )
      next()
    })
    app.get('/metrics', { schema: { hide: true } }, async (_request, reply) => {
      void reply.type(registry.contentType)
      return registry.metrics()
    })
    done()
  },
  { name: 'metrics' },
)
