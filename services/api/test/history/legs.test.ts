import t, { type Test } from 'tap'
import type { CallEvent, CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import { callEventsAnswer } from '@sip-capture/contract/rest/call-events.ts'
import { keys, publish, startApiUnderTest, until } from '../api-under-test.ts'
import { sipRecordOf, sipText } from '../sip-records.ts'

const start = 1_795_391_929_000_000
const path = (id: string) => `/api/v1/calls/${encodeURIComponent(id)}`

function linked(
  callId: string,
  linkedid: string,
  more: Partial<CallEventOf<'leg-linked'>> = {},
): CallEventOf<'leg-linked'> {
  return {
    v: 1,
    kind: 'leg-linked',
    node: 'pbx1',
    atMicros: start,
    channel: `PJSIP/${callId}-00000001`,
    uniqueid: `u-${callId}`,
    linkedid,
    callId,
    from: 'getvar',
    reason: '',
    ...more,
  }
}

const joined = (linkedid: string, otherLinkedid: string): CallEventOf<'calls-joined'> => ({
  v: 1,
  kind: 'calls-joined',
  node: 'pbx1',
  atMicros: start + 1,
  linkedid,
  otherLinkedid,
  by: 'linkedid',
  through: 'PJSIP/x-00000001',
})

const invite = (callId: string, from: string, startLine = 'INVITE sip:2001@h SIP/2.0') =>
  sipText({ callId, startLine, from: `<sip:${from}@x>;tag=1`, to: '<sip:2001@x>' })

t.test('legs in the history', async (t) => {
  const api = await startApiUnderTest(t)
  const { client } = api.redis
  const told: string[][] = []
  api.legChanges.on((callIds) => told.push([...callIds].toSorted()))
  const addMessages = (...callIds: string[]) =>
    publish(
      client,
      keys.trafficLog,
      callIds.map((callId, n) =>
        sipRecordOf(sipText({ callId, from: `<sip:${callId}@x>;tag=1` }), { atMicros: start + n }),
      ),
    )
  const addEvents = (...events: CallEvent[]) => publish(client, keys.calls, events)
  const legsOf = async (id: string) =>
    ((await api.get(path(id))).body.legs ?? []).map(({ callId }) => callId).toSorted()
  const becomes = async (t: Pick<Test, 'same'>, id: string, callIds: string[]) =>
    t.same(
      await until(
        () => legsOf(id),
        (legs) => legs.length === callIds.length,
      ),
      callIds,
      `by ${id}`,
    )

  const eventsOf = async (id: string) =>
    callEventsAnswer.parse((await api.get(`${path(id)}/events`)).body).items

  await t.test('calls that are joined later are one, over any number of steps, by any id', async (t) => {
    await addMessages('a', 'b', 'c', 'd')
    await addEvents(linked('a', 'L1'), linked('b', 'L2'), linked('c', 'L3'), linked('d', 'L4'))
    for (const id of ['a', 'b', 'c', 'd']) await becomes(t, id, [id])
    await addEvents(joined('L2', 'L1'))
    await becomes(t, 'b', ['a', 'b'])
    await addEvents(joined('L3', 'L2'), joined('L3', 'L2'))
    for (const id of ['a', 'b', 'c', 'L1', 'L3', 'u-b', 'PJSIP/c-00000001'])
      await becomes(t, id, ['a', 'b', 'c'])
    t.same(await legsOf('d'), ['d'], 'and the stranger is still alone')
    await until(
      () => told,
      (all) => all.some((callIds) => callIds.join() === 'a,b,c'),
    )
  })

  await t.test('a late link repairs what is stored, and is told by all Call-IDs of the call', async (t) => {
    await addMessages('phone', 'late')
    await addEvents(linked('phone', 'L9'))
    await becomes(t, 'phone', ['phone'])
    await becomes(t, 'late', ['late'])
    await addEvents(linked('late', 'L9', { from: 'hep', reason: 'HEP named the channel' }))
    await becomes(t, 'phone', ['late', 'phone'])
    await becomes(t, 'late', ['late', 'phone'])
    t.match(
      (await api.get(path('late'))).body.legs.find(({ callId }) => callId === 'late'),
      {
        link: 'hep',
        reason: 'HEP named the channel',
      },
    )
    await until(
      () => told,
      (all) => all.some((callIds) => callIds.join() === 'late,phone'),
    )
  })

  await t.test('what Asterisk answers makes a guess void', async (t) => {
    await addMessages('near', 'claimed')
    await addEvents(linked('near', 'L20'), linked('claimed', 'L20', { from: 'guess', reason: 'so it seems' }))
    await becomes(t, 'near', ['claimed', 'near'])
    await addEvents(linked('claimed', 'L21', { uniqueid: 'u-other', atMicros: start - 1 }))
    await becomes(t, 'near', ['near'])
    await becomes(t, 'claimed', ['claimed'])
  })

  await t.test('what Asterisk told of a call is read by any id of its legs, each event once', async (t) => {
    const answered: CallEvent = {
      v: 1,
      kind: 'leg-answered',
      node: 'pbx1',
      atMicros: start + 5,
      channel: 'PJSIP/a-00000001',
      uniqueid: 'u-a',
      linkedid: 'L1',
    }
    await addEvents(answered, answered)
    t.same(
      await until(
        () => eventsOf('c'),
        (items) => items.length > 0,
      ),
      [answered],
    )
    t.same(await eventsOf('d'), [])
  })

  await t.test('the same ids on another PBX are another call', async (t) => {
    await addMessages('here', 'there')
    await addEvents(linked('here', 'L30'), linked('there', 'L30', { node: 'pbx2' }), joined('L30', 'L31'))
    await becomes(t, 'here', ['here'])
    await becomes(t, 'there', ['there'])
  })

  await t.test('without AMI the legs are guessed from the messages, with the reason', async (t) => {
    const pbx = { address: '198.51.100.1', port: 5060 }
    const [phone, trunk] = [
      { address: '198.51.100.7', port: 5060 },
      { address: '198.51.100.9', port: 5060 },
    ]
    const wire = (text: string, millis: number, isOut: boolean) =>
      sipRecordOf(text, {
        source: 'wire',
        direction: isOut ? 'out' : 'in',
        atMicros: start + millis * 1000,
        src: isOut ? pbx : phone,
        dst: isOut ? trunk : pbx,
      })
    await publish(client, keys.capture, [
      wire(invite('w-in', '1001'), 0, false),
      wire(invite('w-out', '1001'), 30, true),
      wire(invite('w-else', '1002'), 40, true),
      wire(invite('w-in', '1001', 'BYE sip:2001@h SIP/2.0'), 900, false),
    ])
    await becomes(t, 'w-in', ['w-in', 'w-out'])
    await becomes(t, 'w-out', ['w-in', 'w-out'])
    await becomes(t, 'w-else', ['w-else'])
    const { legs } = (await api.get(path('w-out'))).body
    t.match(legs, [
      { callId: 'w-in', link: 'guess', reason: /the only INVITE that left 198\.51\.100\.1/ },
      { callId: 'w-out', link: 'asked' },
    ])
  })
})
