import t from 'tap'
import { toReadableLine } from '../log-lines.ts'

t.test('a line of JSON becomes a line for people', async (t) => {
  const line = toReadableLine(
    'api',
    '{"level":"warn","time":"2026-01-02T03:04:05.678Z","name":"api","msg":"slow","ms":12}',
  )
  t.match(line, /^\d\d:\d\d:\d\d api +warn +slow {2}ms=12$/)
})

t.test('escape sequences, line ends and text direction marks of a caller stay text', async (t) => {
  const hostile = JSON.stringify({ level: 'info', msg: 'call', callId: 'a\u001b[2J\r\nroot: forged\u202e' })
  for (const line of [
    toReadableLine('api', hostile),
    toReadableLine('api', 'plain \u001b]0;title\u0007\u009b'),
  ]) {
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    t.notMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/)
  }
  t.match(toReadableLine('api', hostile), String.raw`a\u001b[2J\r\nroot: forged\u202e`)
})

t.test('a line that is not JSON is kept', async (t) => {
  t.match(toReadableLine('ui', '{not json'), '{not json')
})
