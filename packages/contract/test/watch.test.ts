import t from 'tap'
import { asksForRunning, watchRequest } from '@sip-capture/contract/rest/watch.ts'

t.test('what a watch may be', async (t) => {
  t.same(watchRequest.parse({ name: 'x', search: '' }), {
    name: 'x',
    search: '',
    url: null,
    repeat: 'every',
    pin: false,
    paused: false,
  })
  t.ok(watchRequest.safeParse({ name: 'x', search: '', url: 'http://[2001:db8::1]:8080/a?b' }).success)
  for (const wrong of [
    { name: '', search: '' },
    { name: 'n'.repeat(201), search: '' },
    { name: 'x' },
    { name: 'x', search: 's'.repeat(2_001) },
    { name: 'x', search: '', url: 'javascript:alert(1)' },
    { name: 'x', search: '', url: 'file:///etc/passwd' },
    { name: 'x', search: '', url: '/relative' },
    { name: 'x', search: '', repeat: 'twice' },
    { name: 'x', search: '', unknown: 1 },
  ])
    t.notOk(watchRequest.safeParse(wrong).success, JSON.stringify(wrong).slice(0, 60))
})

const asks = (search: string) => asksForRunning(search, { nowMicros: 0 })

t.test('a search asks for running calls where it names such a state', async (t) => {
  for (const search of [
    'state:ringing',
    'from:1 state:in-call',
    'state:failed,setting-up',
    'a OR state:ringing',
  ])
    t.ok(asks(search), search)
  for (const search of [
    '',
    'ringing',
    'state:failed',
    '-state:ringing',
    'verdict:ringing',
    'state:',
    'stat:ringing',
  ])
    t.notOk(asks(search), search)
})
