import t from 'tap'
import { killInTraffic } from '../killed-service.ts'

t.setTimeout(1_800_000)

t.test('kill -9 of capture-sidecar in mid-traffic, HEP tap: nothing on the bus is missing or twice', (t) =>
  killInTraffic(t, 'capture-sidecar', { hep: true }),
)
