import t from 'tap'
import { addressText } from '../src/format/address.ts'
import { counterText } from '../src/format/counter.ts'
import { nameText } from '../src/format/name.ts'
import { plainTitle, shownLines, shownText } from '../src/format/shown-text.ts'
import { lookOf, lookSign } from '../src/format/status.ts'
import {
  clockTime,
  fromLocalField,
  offsetText,
  rowTime,
  toLocalField,
  toMicros,
  zoneText,
} from '../src/format/time.ts'

t.test('control characters are shown as escapes, none reaches the screen', async (t) => {
  t.equal(shownText('a\r\nb\0c\u001b[31m\u0007'), 'a\\r\\nb\\0c\\x1b[31m\\x07')
  t.equal(shownText('\u0085\u009b'), '\\x85\\x9b')
})

t.test(
  'direction overrides and invisible characters are shown, so that no name can look like another',
  async (t) => {
    t.equal(shownText('exe\u202egpj'), 'exe\\u{202e}gpj')
    t.equal(shownText('10\u200b01'), '10\\u{200b}01')
    t.equal(shownText('\u2066x\u2069\ufeff'), '\\u{2066}x\\u{2069}\\u{feff}')
    t.equal(shownText('\udb40\udc41'), '\\u{e0041}')
  },
)

t.test('plain text, other scripts and emoji stay as they are', async (t) => {
  t.equal(shownText('Zoë 東京 📞 <b>'), 'Zoë 東京 📞 <b>')
})

t.test('half a surrogate pair is escaped, a whole one is not', async (t) => {
  t.equal(shownText('a\ud83db'), 'a\\u{d83d}b')
})

t.test('a line that ends with a bare line feed is marked, one with CR LF is not', async (t) => {
  t.same(shownLines('A: 1\r\nB\tx: 2\nlast'), [
    { text: 'A: 1', bareLineFeed: false },
    { text: 'B\\tx: 2', bareLineFeed: true },
    { text: 'last', bareLineFeed: false },
  ])
})

t.test('a title holds no control characters and is short', async (t) => {
  t.equal(plainTitle('a\u202eb\u0000c'), 'abc')
  t.equal(plainTitle('x'.repeat(500)).length, 120)
})

t.test('microseconds survive to the screen', async (t) => {
  t.match(clockTime(toMicros('2026-11-23T05:41:50.123456Z'), 6), /:41:50\.123456$/)
  t.match(clockTime(toMicros('2026-11-23T05:41:50.123456Z')), /:41:50\.123$/)
})

t.test('a row of another day has its date, so that midnight does not mix up the days', async (t) => {
  const today = new Date(2026, 10, 23, 0, 5).getTime()
  const yesterday = new Date(2026, 10, 22, 23, 59).getTime()
  t.match(rowTime(today * 1000, today), /^00:05:00\.000$/)
  t.match(rowTime(yesterday * 1000, today), /22.*23:59:00\.000$/)
})

t.test('a time field is read in the viewer zone and written back the same', async (t) => {
  const micros = new Date(2026, 10, 22, 23, 59, 30).getTime() * 1000
  t.equal(toLocalField(micros), '2026-11-22T23:59:30')
  t.equal(fromLocalField('2026-11-22T23:59:30'), micros)
  t.equal(fromLocalField('23:59:30'), null)
  t.equal(fromLocalField('2026-13-45T99:00'), null)
})

t.test('the zone is written with its offset', async (t) => {
  t.match(zoneText(), /UTC|GMT/)
})

t.test('offsets read like a stopwatch', async (t) => {
  t.same([0, 420, 2500, 3_100_000, 125_000_000, -5000].map(offsetText), [
    '+0 µs',
    '+420 µs',
    '+2.5 ms',
    '+3.100 s',
    '+2 min 05 s',
    '−5.0 ms',
  ])
})

t.test('an IPv6 address stands in brackets, an unknown one is a dash', async (t) => {
  t.equal(addressText({ address: '2001:db8::1', port: 5061 }), '[2001:db8::1]:5061')
  t.equal(addressText({ address: '192.0.2.1', port: 0 }), '192.0.2.1')
  t.equal(addressText({ address: '', port: 0 }), '—')
})

t.test('a party is its number, with the display name where it says more', async (t) => {
  const party = { displayName: '', uri: 'sip:100@h', user: '100', host: 'h', tag: '' }
  t.equal(nameText(party), '100')
  t.equal(nameText({ ...party, displayName: 'Desk' }), 'Desk ‹100›')
  t.equal(nameText({ ...party, displayName: '100' }), '100')
  t.equal(nameText({ ...party, user: '' }), 'h')
})

t.test('a challenge is no failure, and every look has a sign of its own', async (t) => {
  t.equal(lookOf({ kind: 'response', status: 401 }), 'challenge')
  t.equal(lookOf({ kind: 'response', status: 407 }), 'challenge')
  t.equal(lookOf({ kind: 'response', status: 403 }), 'failure')
  t.equal(lookOf({ kind: 'request', status: null }), 'request')
  t.equal(new Set(Object.values(lookSign)).size, Object.keys(lookSign).length)
})

t.test('names of counters are words, whichever way a service writes them', async (t) => {
  for (const [name, text] of [
    ['published', 'published'],
    ['legs_linked_by_hep', 'legs linked by HEP'],
    ['tcpSegments', 'TCP segments'],
    ['kernelDropped', 'kernel dropped'],
    ['waiting for history', 'waiting for history'],
    ['ami_events', 'AMI events'],
  ] as const)
    t.equal(counterText(name), text)
})
