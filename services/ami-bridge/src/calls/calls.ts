import { callEvent, type CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import type { AmiConnection } from '../ami/connection.ts'
import { createChannelQuestions } from './channel-questions.ts'
import { toEndpointReport } from './endpoint-reports.ts'
import { createJoinTracker } from './joins.ts'
import { createLegTracker } from './legs.ts'
import { reportedChannel, toReport } from './reports.ts'
import { createRtcpReports, type HepRtcp } from './rtcp.ts'
import { createShortCalls, type SeenInvite } from './short-calls.ts'

/** Everything for the stream `calls`. */
export interface Calls {
  onEvent(block: AmiBlock): void
  /** HEP with `uuid_type=channel` names the channel of a Call-ID. */
  onHepCorrelation(channel: string, callId: string): void
  /** RTCP by HEP, about this channel. */
  onHepRtcp(channel: string, packet: HepRtcp): void
  /** The tap in use showed the INVITE that opens a dialog. */
  onInvite(invite: SeenInvite): void
  resync(): Promise<void>
  close(): void
  readonly openLegs: number
  readonly counters: Readonly<Record<string, number>>
}

export function createCalls(options: {
  ami: Pick<AmiConnection, 'request' | 'isUp'>
  node: string
  write: (event: CallEvent) => void
  isEndpointAt: (endpoint: string, address: string) => boolean | undefined
  onSuspect: (what: string) => void
}): Calls {
  const { ami, node, write, isEndpointAt, onSuspect } = options
  const counters = { call_events: 0, call_events_refused: 0 }
  const questions = createChannelQuestions(ami)
  const shortCalls = createShortCalls({ isEndpointAt })
  const legs = createLegTracker({ ami, questions, shortCalls, node, emit, onSuspect })
  const joins = createJoinTracker({ legs, questions, node, emit })
  const rtcp = createRtcpReports(node)

  function emit(event: CallEvent | undefined): void {
    if (!event) return
    if (callEvent.safeParse(event).success) {
      counters.call_events += 1
      write(event)
    } else counters.call_events_refused += 1
  }

  return {
    onEvent(block) {
      const context = { node, atMicros: nowMicros() }
      if (block.name === 'RTCPSent' || block.name === 'RTCPReceived') {
        const leg = legs.find(field(block, 'Channel'))
        if (leg) emit(rtcp.fromEvent(block, leg, context.atMicros))
        return
      }
      legs.onEvent(block)
      joins.onEvent(block)
      const channel = reportedChannel(block)
      if (channel === undefined) emit(toEndpointReport(block, context))
      else legs.whenConfirmed(channel, (leg) => emit(toReport(block, leg, context)))
    },
    onHepCorrelation: (channel, callId) => legs.onHepCorrelation(channel, callId),
    onHepRtcp(channel, packet) {
      const leg = legs.find(channel)
      if (leg) emit(rtcp.fromHep(packet, leg))
    },
    onInvite: (invite) => shortCalls.onInvite(invite),
    resync: () => legs.resync(),
    close() {
      legs.close()
      joins.close()
    },
    get openLegs() {
      return legs.openLegs
    },
    get counters() {
      return { ...counters, ...legs.counters, ...joins.counters, ...questions.counters, ...rtcp.counters }
    },
  }
}
