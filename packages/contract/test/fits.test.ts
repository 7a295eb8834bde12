import t from 'tap'
import { z } from 'zod'
import { fits } from '@sip-capture/contract/fits.ts'
import { serverFrame } from '@sip-capture/contract/live.ts'
import { callDetail } from '@sip-capture/contract/rest/call.ts'
import { statusFilter } from '@sip-capture/contract/rest/message.ts'

const message = {
  id: '1',
  at: '2026-11-23T18:00:00.000001Z',
  precisionMicros: 1,
  source: 'wire',
  node: 'pbx1',
  transport: 'UDP',
  direction: 'in',
  src: { address: '192.0.2.1', port: 5060, name: 'alice' },
  dst: { address: '2001:db8::1', port: 5080 },
  kind: 'response',
  method: 'INVITE',
  status: 200,
  reason: 'OK',
  requestUri: '',
  callId: 'a',
  from: { displayName: '', uri: 'sip:a@b', user: 'a', host: 'b', tag: '1' },
  to: { displayName: '', uri: 'sip:a@b', user: 'a', host: 'b', tag: '' },
  cseq: 1,
  branch: 'z9hG4bK1',
  userAgent: '',
  trunk: null,
  channel: null,
  hasSdp: false,
  sizeBytes: 10,
  copies: 1,
  sightingKey: '',
  problems: ['a fault'],
  capture: null,
  rawBase64: '',
}

const call = {
  id: 'a',
  state: 'in-call',
  from: 'a',
  to: 'b',
  startedAt: message.at,
  endedAt: null,
  legs: [{ callId: 'a', channel: null, uniqueid: null, linkedid: null, link: 'guess', reason: 'why' }],
  findings: [],
  messages: [message],
  truncated: false,
}

const wrong: readonly unknown[] = [undefined, null, '', 'no', true, -1, 1.5, 1e300, Number.NaN, [], {}, [1]]

/** The value with one member anywhere in it replaced, each way. */
function* mutations(value: unknown): Generator {
  yield* wrong
  if (Array.isArray(value)) {
    for (const [at, item] of value.entries())
      for (const changed of mutations(item)) yield value.with(at, changed)
  } else if (typeof value === 'object' && value !== null)
    for (const [name, member] of Object.entries(value))
      for (const changed of mutations(member)) yield { ...value, [name]: changed }
}

t.test('an answer fits when zod takes it as it is, and only then', async (t) => {
  t.ok(fits(callDetail, call))
  let refused = 0
  for (const changed of mutations(call)) {
    const { success } = callDetail.safeParse(changed)
    if (!success) refused += 1
    if (fits(callDetail, changed) !== success) t.fail(`differs from zod: ${JSON.stringify(changed)}`)
  }
  t.ok(refused > 300, `${refused} wrong answers`)
})

t.test('a frame of rows fits as zod takes it, one that may hold defaults is left to zod', async (t) => {
  const frame = { type: 'sip:traffic', items: [message], position: '1-0' }
  t.ok(fits(serverFrame, frame))
  t.notOk(
    fits(serverFrame, { ...frame, items: Array.from({ length: 1001 }, () => message) }),
    'too many rows',
  )
  for (const changed of mutations(frame))
    if (fits(serverFrame, changed) !== serverFrame.safeParse(changed).success)
      t.fail(`differs from zod: ${JSON.stringify(changed)}`)
  t.ok(fits(serverFrame, { type: 'watch:matched', items: [undefined, 1, {}], missed: 0 }))
  t.notOk(fits(serverFrame, { type: 'watch:unheard', items: [], missed: 0 }))
})

t.test('members that a schema does not name are no fault', async (t) => {
  t.ok(fits(callDetail, { ...call, later: 1 }))
})

t.test('what zod would change, or refuse for reasons of its own, is left to zod', async (t) => {
  t.notOk(fits(statusFilter, '4XX'))
  t.notOk(fits(z.object({ a: z.number().default(1) }), { a: 1 }))
  t.notOk(fits(z.strictObject({ a: z.number() }), { a: 1 }))
  t.notOk(fits(z.coerce.number(), 1))
  t.notOk(fits(z.string().trim(), 'a'))
  t.notOk(fits(z.email(), 'a@b.example'))
  t.notOk(fits(z.string().array().min(1), ['a']))
  t.notOk(fits(z.int32(), 1))
  t.notOk(fits(z.number().gt(1), 2))
  t.notOk(
    fits(
      z.object({ a: z.string() }).refine(() => true),
      { a: '' },
    ),
  )
  t.notOk(
    fits(
      z.enum(['a']).refine(() => false),
      'a',
    ),
  )
  t.notOk(
    fits(
      z
        .string()
        .nullable()
        .refine(() => false),
      null,
    ),
  )
})
