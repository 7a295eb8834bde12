import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import { headOf, type Leg, unlessNone } from './leg.ts'

/** Which channel an event is about; undefined for events that are not kept. */
export function reportedChannel(block: AmiBlock): string | undefined {
  const name = channelFields[block.name]
  return name === undefined ? undefined : field(block, name)
}

const channelFields: Readonly<Record<string, string>> = {
  BridgeEnter: 'Channel',
  BridgeLeave: 'Channel',
  DialBegin: 'DestChannel',
  DialEnd: 'DestChannel',
  BlindTransfer: 'TransfererChannel',
  AttendedTransfer: 'OrigTransfererChannel',
}

/** What an event tells of a leg that Asterisk confirmed: the ids are Asterisk's answers, the texts hints. */
export function toReport(
  block: AmiBlock,
  leg: Leg,
  context: { node: string; atMicros: number },
): CallEvent | undefined {
  const head = headOf(leg, context.node, context.atMicros)
  const text = (name: string, max = 256) => field(block, name).slice(0, max)
  switch (block.name) {
    case 'BridgeEnter':
    case 'BridgeLeave':
      return {
        ...head,
        kind: block.name === 'BridgeEnter' ? 'bridge-entered' : 'bridge-left',
        bridge: text('BridgeUniqueid'),
        technology: text('BridgeTechnology', 64),
        creator: unlessNone(text('BridgeCreator', 64)),
        name: unlessNone(text('BridgeName')),
      }
    case 'DialBegin':
    case 'DialEnd': {
      const dial = {
        ...head,
        dialingChannel: text('Channel', 512),
        dialingUniqueid: text('Uniqueid', 150),
      }
      return block.name === 'DialBegin'
        ? { ...dial, kind: 'dial-begun', dialString: text('DialString') }
        : { ...dial, kind: 'dial-ended', status: text('DialStatus', 64), forward: text('Forward') }
    }
    case 'BlindTransfer':
      return {
        ...head,
        kind: 'transferred',
        transfer: 'blind',
        result: text('Result', 64),
        transfereeChannel: text('TransfereeChannel', 512),
        secondChannel: '',
        targetChannel: '',
        exten: text('Extension'),
        context: text('Context'),
      }
    case 'AttendedTransfer':
      return {
        ...head,
        kind: 'transferred',
        transfer: 'attended',
        result: text('Result', 64),
        transfereeChannel: text('TransfereeChannel', 512),
        secondChannel: text('SecondTransfererChannel', 512),
        targetChannel: text('TransferTargetChannel', 512),
        exten: '',
        context: '',
      }
    default:
      return undefined
  }
}
