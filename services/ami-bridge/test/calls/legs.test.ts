import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import t from 'tap'
import type { AmiBlock } from '../../src/ami/block.ts'
import type { AmiAnswer } from '../../src/ami/connection.ts'
import { createLegTracker } from '../../src/calls/legs.ts'
import { createShortCalls } from '../../src/calls/short-calls.ts'

const block = (kind: AmiBlock['kind'], name: string, fields: Record<string, string> = {}): AmiBlock => ({
  kind,
  name,
  fields: Object.entries(fields),
  output: [],
  isTruncated: false,
})
const channelEvent = (name: string, channel: string) =>
  block('event', name, { Channel: channel, Uniqueid: '1.1', Linkedid: '1.1' })

const settled = () => new Promise<void>((resolve) => void setImmediate(resolve))

/** A tracker whose Asterisk knows every channel, and lists them when the first of `lists` is called. */
function tracker() {
  const told: CallEvent[] = []
  const lists: ((channels: readonly string[]) => void)[] = []
  const legs = createLegTracker({
    ami: {
      isUp: true,
      request: () =>
        new Promise<AmiAnswer>((resolve) => {
          lists.push((channels) =>
            resolve({
              ok: true,
              block: block('response', 'Success'),
              events: channels.map((channel) => channelEvent('CoreShowChannel', channel)),
            }),
          )
        }),
    },
    questions: {
      getvar: async (channel, variable) =>
        variable === 'CHANNEL(pjsip,call-id)'
          ? `of-${channel}`
          : variable === 'CHANNEL(state)'
            ? 'Ring'
            : '1.1',
      counters: {},
    },
    shortCalls: createShortCalls({ isEndpointAt: () => true }),
    node: 'test',
    emit: (event) => told.push(event),
    onSuspect: () => {},
  })
  return { legs, told, lists }
}

t.test('a channel that begins while the list of channels is on its way is not forgotten', async (t) => {
  const { legs, told, lists } = tracker()
  t.teardown(() => legs.close())
  legs.onEvent(channelEvent('Newchannel', 'PJSIP/gone-00000001'))
  const resynced = legs.resync()
  legs.onEvent(channelEvent('Newchannel', 'PJSIP/new-00000002'))
  await settled()
  lists[0]?.([])
  await resynced
  t.equal(legs.find('PJSIP/gone-00000001'), undefined, 'what was there before and is not listed has ended')
  t.match(legs.find('PJSIP/new-00000002'), { callId: 'of-PJSIP/new-00000002' })
  legs.onEvent(channelEvent('BridgeEnter', 'PJSIP/new-00000002'))
  await settled()
  t.same(
    told.map(({ kind }) => kind),
    ['leg-started', 'leg-linked', 'leg-started', 'leg-linked'],
    'each began once',
  )
})
