import './dom.ts'
import t from 'tap'
import { readDeepLink, readLinkTime, toResolveQuery, withoutOpen } from '../src/state/deep-link.ts'
import { snippetGroups } from '../src/views/links/snippets.ts'
import { equallyNear, nextIndex } from '../src/views/resolve/candidate-list.tsx'
import { linkSentence } from '../src/views/resolve/link-note.tsx'
import { aCallRow } from './call-rows.ts'

const micros = Date.UTC(2026, 10, 23, 14, 3, 7) * 1000

t.test('times are read as other tools write them, and one without a zone says so', (t) => {
  const seconds = micros / 1e6
  for (const given of [
    String(seconds),
    `${seconds}.000000`,
    String(seconds * 1000),
    String(micros),
    '2026-11-23T14:03:07Z',
    '2026-11-23 14:03:07Z',
    '2026-11-23T15:03:07+01:00',
    '2026-11-23T15:03:07 01:00',
  ])
    t.same(readLinkTime(given), { given, micros, isLocal: false }, given)
  t.equal(readLinkTime(`${seconds}.25`).micros, micros + 250_000)
  const local = readLinkTime('2026-11-23 14:03:07')
  t.equal(local.isLocal, true)
  t.equal(local.micros, new Date(2026, 10, 23, 14, 3, 7).getTime() * 1000)
  for (const bad of ['yesterday', '23/11/2026', '2026-13-45 99:99:99', '99999999999999999', '12'])
    t.same(readLinkTime(bad), { given: bad, isLocal: false, micros: null }, bad)
  t.end()
})

const read = (text: string) => readDeepLink(new URLSearchParams(text))

t.test('a link is an id, a time, or both; the older callId means the same', (t) => {
  t.equal(read('from=100&status=4xx'), null, 'filters alone are none')
  t.equal(read('call=&at='), null)
  t.match(read('callId=a@b&at=1795442587'), { call: 'a@b', at: { micros } })
  t.equal(read('call=new&callId=old')?.call, 'new')
  const link = read('call=%2B4420&at=1795442587&from=100&to=200')
  t.ok(link)
  if (link) t.equal(toResolveQuery(link).toString(), `id=%2B4420&at=${micros}&from=100&to=200`)
  const unreadable = read('at=soon')
  if (unreadable) t.equal(toResolveQuery(unreadable).size, 0, 'a time that is none asks for nothing')
  t.equal(withoutOpen(new URLSearchParams('call=a&at=1&callId=b&message=c&from=100')).toString(), 'from=100')
  t.end()
})

t.test('a linked id says whose it is and how that is known', (t) => {
  const second = {
    callId: 'b',
    channel: 'PJSIP/acme-02',
    uniqueid: '7.2',
    linkedid: '7.1',
    link: 'guess' as const,
    reason: 'same second',
  }
  const legs = [
    { callId: 'a', channel: 'PJSIP/phone-01', uniqueid: '7.1', linkedid: '7.1', link: 'getvar' as const },
    second,
  ]
  t.equal(linkSentence('b', legs), null, 'the Call-ID itself needs no word')
  t.match(linkSentence('7.2', legs), /^7\.2 is the Uniqueid of leg 2\. A guess: same second$/)
  t.match(linkSentence('PJSIP/phone-01', legs), /channel of leg 1\. Asterisk itself/)
  t.match(
    linkSentence('7.1', legs),
    /^7\.1 is the Linkedid of this call and the Uniqueid of leg 1\. Asterisk itself/,
  )
  t.match(linkSentence('9.9', [{ ...second, linkedid: '9.9' }]), /Linkedid of this call/)
  t.equal(linkSentence('stranger', legs), null)
  t.end()
})

const near = (distanceSeconds: number | null) => ({ call: aCallRow({}), distanceSeconds, why: [] })

t.test('the list of candidates begins with none chosen, and says when the nearest are equal', (t) => {
  t.equal(nextIndex('ArrowDown', -1, 3), 0)
  t.equal(nextIndex('j', 2, 3), 2)
  t.equal(nextIndex('k', 0, 3), 0)
  t.equal(nextIndex('End', 0, 3), 2)
  t.equal(nextIndex('Enter', 0, 3), null)
  t.equal(nextIndex('j', -1, 0), null)
  t.equal(equallyNear([near(0), near(0), near(3)]), 2)
  t.equal(equallyNear([near(1.5), near(2)]), 1)
  t.equal(equallyNear([near(null), near(null)]), 0, 'without a time none is near')
  t.end()
})

t.test('the ready lines hold the address, never channelvars as advice, and no token', (t) => {
  const all = snippetGroups('https://sip.example.org').flatMap(({ snippets }) => snippets)
  t.ok(all.length >= 9)
  t.equal(new Set(all.map(({ id }) => id)).size, all.length)
  for (const { id, text } of all) {
    t.match(text, 'https://sip.example.org/', id)
    t.notMatch(text, /channelvars|token/i, id)
  }
  t.end()
})
