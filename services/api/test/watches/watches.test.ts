import t from 'tap'
import { watchMatch } from '@sip-capture/contract/rest/watch.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { callMessages } from '../calls/call-messages.ts'
import { follow } from '../live-client.ts'
import { startReceiver } from './receiver.ts'
import { nowMicros, placeCall, postWatch, putWatch, readMatches, readWatch, sendAny } from './watch-client.ts'

t.test('watches', async (t) => {
  const api = await startApiUnderTest(t, {
    PUBLIC_URL: 'https://sip.example.org/',
    WATCH_SECRET: 'a secret of words',
  })
  const callIdsOf = async (watchId: string) =>
    (await readMatches(api)).filter((match) => match.watchId === watchId).map(({ call }) => call.callId)
  const counted = (watchId: string, matches: number) =>
    until(
      () => readWatch(api, watchId),
      ({ body }) => body.matches === matches,
    )
  /** Every call so far has been judged, and every match told. */
  const settle = async (callId: string) => {
    const { body } = await postWatch(api, { name: 'fence', search: `callid:${callId}` })
    await placeCall(api, { callId, startMicros: nowMicros() })
    await counted(body.id, 1)
    await sendAny(api, 'DELETE', `/watches/${body.id}`)
  }

  t.test('the next call that matches is told once, by webhook and to browsers', async (t) => {
    let faults = 2
    const { url, hooks } = await startReceiver(t, (_hook, response) => {
      response.writeHead(faults > 0 ? 500 : 204).end()
      faults -= 1
    })
    await placeCall(api, { callId: 'before', from: '555' })
    await until(
      () => api.get('/api/v1/calls?q=callid:before state:busy'),
      ({ body }) => body.items.length === 1,
    )
    const browser = await follow(api)
    t.teardown(async () => browser.socket.terminate())
    const { status, body: watch } = await postWatch(api, {
      name: 'busy <b>555</b>',
      search: 'from:555 state:busy',
      url,
    })
    t.equal(status, 201)
    t.match(watch, { repeat: 'every', whileRunning: false, matches: 0, lastMatch: null, delivery: null })
    await placeCall(api, { callId: 'other', from: '556', startMicros: nowMicros() })
    const script = { callId: 'wanted', from: '555', startMicros: nowMicros() }
    await placeCall(api, script)
    await counted(watch.id, 1)
    const { body } = await until(
      () => readWatch(api, watch.id),
      ({ body }) => body.delivery?.state === 'delivered',
    )
    t.match(body.delivery, { state: 'delivered', attempts: 3, status: 204 })
    t.equal(hooks.length, 3, 'twice refused, then taken')
    t.equal(new Set(hooks.map(({ body }) => body.id)).size, 1, 'the same match each time')
    t.match(hooks[0]?.body, {
      type: 'call.matched',
      watch: { id: watch.id, name: 'busy <b>555</b>', search: 'from:555 state:busy' },
      call: {
        callId: 'wanted',
        from: { number: '555', name: 'User 555' },
        state: 'busy',
        code: 486,
        verdict: { ruleId: String },
      },
      link: `https://sip.example.org/capture?call=${hooks[0]?.body.call?.id}`,
    })
    t.match(hooks[0]?.headers['webhook-signature'], /^v1,/)

    const told = await until(
      () =>
        browser.frames.flatMap((frame) =>
          frame.type === 'watch:matched' ? frame.items.map((item) => watchMatch.parse(item)) : [],
        ),
      (matches) => matches.some(({ delivery }) => delivery?.state === 'delivered'),
    )
    t.same([...new Set(told.map(({ call }) => call.callId))], ['wanted'])
    t.equal(new Set(told.map(({ id }) => id)).size, 1)

    // The same messages again, and more of the same call.
    await placeCall(api, script)
    await placeCall(api, { ...script, ringing: 100 })
    await settle('fence-1')
    t.same(await callIdsOf(watch.id), ['wanted'])
    t.equal((await readWatch(api, watch.id)).body.matches, 1)
    await sendAny(api, 'DELETE', `/watches/${watch.id}`)
    t.same(await callIdsOf(watch.id), [], 'its matches go with it')
  })

  t.test('`once` pauses after the first of many; resumed, it begins anew', async (t) => {
    const { body: watch } = await postWatch(api, { name: 'once', search: 'number:777', repeat: 'once' })
    for (const n of [1, 2, 3]) await placeCall(api, { callId: `o${n}`, to: '777', startMicros: nowMicros() })
    await until(
      () => readWatch(api, watch.id),
      ({ body }) => body.paused,
    )
    await settle('fence-2')
    t.equal((await callIdsOf(watch.id)).length, 1)
    const { id: _id, ...rest } = watch
    const resumed = await putWatch(api, watch.id, {
      name: rest.name,
      search: rest.search,
      repeat: 'once',
      paused: false,
    })
    t.equal(resumed.status, 200)
    t.ok(resumed.body.activeSince > watch.activeSince)
    await placeCall(api, { callId: 'o4', to: '777', startMicros: nowMicros() })
    await counted(watch.id, 2)
    t.equal((await callIdsOf(watch.id))[0], 'o4')
  })

  t.test('a call that runs counts only where the search asks for it, or the watch says so', async (t) => {
    const ended = (await postWatch(api, { name: 'ended', search: 'from:888' })).body
    const ringing = (await postWatch(api, { name: 'ringing', search: 'from:888 state:ringing' })).body
    const either = (await postWatch(api, { name: 'either', search: 'from:888', whileRunning: true })).body
    const not = (await postWatch(api, { name: 'not', search: 'from:888 -state:ringing' })).body
    t.same(
      [ended, ringing, either, not].map(({ whileRunning }) => whileRunning),
      [false, true, true, false],
    )
    const startMicros = nowMicros()
    const script = { callId: 'long', from: '888', startMicros, ringing: 100 }
    const all = callMessages({ ...script, final: [600, 486, 'Busy Here'] })
    await publish(api.redis.client, keys.trafficLog, all.slice(0, 3))
    await counted(ringing.id, 1)
    await counted(either.id, 1)
    await settle('fence-3')
    t.equal((await readWatch(api, ended.id)).body.matches, 0, 'it has not ended')
    await publish(api.redis.client, keys.trafficLog, all.slice(3))
    await counted(ended.id, 1)
    await counted(not.id, 1)
    await settle('fence-4')
    for (const { id, name } of [ended, ringing, either, not])
      t.equal((await readWatch(api, id)).body.matches, 1, `${name}: once`)
  })

  t.test('a match is not lost and not told twice when the history process dies', async (t) => {
    const { body: watch } = await postWatch(api, { name: 'crash', search: 'from:999' })
    await placeCall(api, { callId: 'c1', from: '999', startMicros: nowMicros() })
    await counted(watch.id, 1)
    // Written, and not yet told: it ended this moment.
    await placeCall(api, { callId: 'c2', from: '999', startMicros: nowMicros() + 1_000_000 })
    await until(
      () => api.get('/api/v1/calls?q=callid:c2 state:busy'),
      ({ body }) => body.items.length === 1,
    )
    const { pid } = api.history
    process.kill(pid ?? 0, 'SIGKILL')
    await counted(watch.id, 2)
    await settle('fence-5')
    t.same((await callIdsOf(watch.id)).toSorted(), ['c1', 'c2'])
    t.not(api.history.pid, pid)
  })

  t.test('what is wrong is refused by its field, and there are only so many', async (t) => {
    const bad: [object, RegExp][] = [
      [{ name: '', search: '' }, /^name/],
      [{ name: 'x', search: 'stat:busy' }, /did you mean `state`/],
      [{ name: 'x', search: '', url: 'ftp://h/' }, /^url/],
      [{ name: 'x', search: '', url: 'http://169.254.169.254/' }, /^url: 169\.254\.169\.254 is link-local/],
      [{ name: 'x', search: '', url: 'http://[::ffff:a9fe:1]/' }, /^url: .*is not asked$/],
      [{ name: 'x', search: '', often: true }, /often/],
    ]
    for (const [watch, message] of bad) {
      const { status, body } = await postWatch(api, watch)
      t.equal(status, 400, JSON.stringify(watch))
      t.match(body.message, message)
    }
    t.equal((await sendAny(api, 'GET', '/watches/no-such')).status, 404)
    t.equal((await sendAny(api, 'POST', '/watches/no-such/test')).status, 404)
    let made = 0
    while ((await postWatch(api, { name: 'many', search: 'from:nobody' })).status === 201) made += 1
    t.ok(made > 0 && made < 100)
    t.match(await postWatch(api, { name: 'one more', search: '' }), {
      status: 429,
      body: { code: 'too-many-watches' },
    })
  })
})

t.test('a test of the webhook says how it went; a receiver that is refused is not tried again', async (t) => {
  const api = await startApiUnderTest(t)
  const { url, hooks } = await startReceiver(t)
  const { body: watch } = await postWatch(api, { name: 'x', search: 'from:1', url })
  const test = (id: string) => sendAny(api, 'POST', `/watches/${id}/test`)
  t.match(await test(watch.id), { status: 200, body: { state: 'delivered', status: 200, attempts: 1 } })
  t.match(hooks[0]?.body, { type: 'test', call: null, link: null, watch: { name: 'x' } })
  const silent = (await postWatch(api, { name: 'y', search: 'from:1' })).body
  t.match(await test(silent.id), { status: 400, body: { code: 'no-webhook' } })
  const away = (await postWatch(api, { name: 'z', search: 'from:1', url: 'http://127.0.0.1:1/' })).body
  t.match(await test(away.id), {
    status: 200,
    body: { state: 'failed', status: null, error: /ECONNREFUSED/ },
  })
  t.match((await readWatch(api, away.id)).body.delivery, { state: 'failed' })
})
