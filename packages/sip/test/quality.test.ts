import t from 'tap'
import {
  codecImpairment,
  delayImpairment,
  effectiveImpairment,
  estimateDelay,
  estimateQuality,
  toMos,
} from '../src/quality.ts'

const near = (a: number, b: number, by = 0.005) => Math.abs(a - b) <= by

t.test('R becomes MOS as table B.1 of G.107 has it', async (t) => {
  // The table gives two decimals, not always the nearest.
  for (const [r, mos] of [
    [90, 4.34],
    [80, 4.03],
    [70, 3.6],
    [60, 3.1],
    [50, 2.58],
    [93.2, 4.41],
  ] as const)
    t.ok(near(toMos(r), mos, 0.01), `R ${r}: ${toMos(r)}`)
  t.equal(toMos(0), 1)
  t.equal(toMos(-20), 1)
  t.equal(toMos(100), 4.5)
  t.equal(toMos(140), 4.5)
})

t.test('no R gives less than 1, and more R is never worse', async (t) => {
  for (let r = 0; r < 100; r += 0.5) {
    t.ok(toMos(r) >= 1)
    t.ok(toMos(r + 0.5) >= toMos(r), `at ${r}`)
  }
})

t.test('loss impairs as G.107 (7-29) says', async (t) => {
  const none = { ie: -1, bpl: 1, note: '' }
  const g711 = codecImpairment('pcmu') ?? none
  const g729 = codecImpairment('G729') ?? none
  t.equal(effectiveImpairment(g711, 0), 0)
  t.ok(near(effectiveImpairment(g711, 1), 95 / 26.1))
  t.ok(near(effectiveImpairment(g729, 2), 11 + (84 * 2) / 21))
  t.equal(effectiveImpairment(g729, 0), 11)
  t.ok(effectiveImpairment(g711, 100) < 95)
  t.equal(effectiveImpairment(g711, -3), 0, 'less than none is none')
})

t.test('delay hurts little up to 177.3 ms and much beyond', async (t) => {
  t.equal(delayImpairment(0), 0)
  t.ok(near(delayImpairment(100), 2.4))
  t.ok(near(delayImpairment(277.3), 0.024 * 277.3 + 11))
  t.equal(estimateDelay(null, 0), 20)
  t.equal(estimateDelay(80, 5), 70)
})

t.test('a clean call on G.711 is good, one with 10 % loss is not', async (t) => {
  const clean = estimateQuality({ codec: 'PCMA', lossPercent: 0, jitterMillis: 0, roundTripMillis: 0 })
  t.ok(near(clean?.r ?? 0, 93.2 - 0.48))
  t.ok(near(clean?.mos ?? 0, 4.4, 0.01))
  const bad = estimateQuality({ codec: 'PCMA', lossPercent: 10, jitterMillis: 30, roundTripMillis: 400 })
  t.ok((bad?.mos ?? 5) < 3)
})

t.test('no figure is made up for a codec that G.113 has none of', async (t) => {
  for (const codec of ['opus', 'G722', 'telephone-event', ''])
    t.equal(estimateQuality({ codec, lossPercent: 0, jitterMillis: 0, roundTripMillis: 0 }), null)
})
