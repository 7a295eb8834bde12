import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import type { ChannelQuestions } from './channel-questions.ts'
import { headOf, type Leg } from './leg.ts'
import type { LegTracker } from './legs.ts'

/**
 * Follows what makes one call out of two: bridges (conference, transfer, pickup, retrieval from a parking lot) and Local
 * channels. Who is bridged with whom Asterisk answers in BRIDGEPEER, which holds channel names and nothing of a caller's; it
 * is empty in a parking lot and in a queue's music, where strangers wait side by side.
 */
export interface JoinTracker {
  onEvent(block: AmiBlock): void
  close(): void
  readonly counters: Readonly<Record<string, number>>
}

/** The variable is set a moment after the event. */
const retryMillis = [20, 100, 400] as const

export function createJoinTracker(options: {
  legs: LegTracker
  questions: ChannelQuestions
  node: string
  emit: (event: CallEvent) => void
}): JoinTracker {
  const { legs, questions, node, emit } = options
  const { getvar } = questions
  const counters = { bridges_joined: 0 }
  const timers = new Set<NodeJS.Timeout>()

  function later(millis: number, work: () => void): void {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, millis)
    timers.add(timer)
  }

  function onEvent(block: AmiBlock): void {
    if (block.name === 'BridgeEnter')
      void askPeers(field(block, 'Channel'), field(block, 'BridgeUniqueid'), 0)
    if (block.name === 'LocalBridge') void onLocalBridge(block)
    if (block.name === 'AttendedTransfer' || block.name === 'BlindTransfer') onTransfer(block)
  }

  async function askPeers(channel: string, bridge: string, attempt: number): Promise<void> {
    const peers = await getvar(channel, 'BRIDGEPEER')
    const leg = legs.find(channel)
    const met = leg && peers ? await joinWith(leg, peers.split(','), bridge) : 0
    const pause = retryMillis[attempt]
    if (met > 0 || peers === null || pause === undefined) return
    later(pause, () => void askPeers(channel, bridge, attempt + 1))
  }

  /** How many of the peers are legs that we know. */
  async function joinWith(leg: Leg, peers: readonly string[], bridge: string): Promise<number> {
    const known = peers.map((peer) => legs.find(peer)).filter((peer) => peer !== undefined)
    for (const peer of known) {
      if (peer.linkedid === leg.linkedid) continue
      // Asterisk may have given both the older Linkedid by now.
      await Promise.all([legs.recheck(leg.channel), legs.recheck(peer.channel)])
      if (peer.linkedid !== leg.linkedid) join(leg, peer, 'bridge', bridge)
    }
    return known.length
  }

  function join(leg: Leg, other: Leg, by: 'bridge' | 'local', through: string): void {
    counters.bridges_joined += 1
    emit({
      v: 1,
      kind: 'calls-joined',
      node,
      atMicros: nowMicros(),
      linkedid: leg.linkedid,
      otherLinkedid: other.linkedid,
      by,
      through: through.slice(0, 512),
    })
  }

  /** Two halves of one Local channel: their names say so, that both exist Asterisk says. */
  async function onLocalBridge(block: AmiBlock): Promise<void> {
    const [one, two] = [field(block, 'LocalOneChannel'), field(block, 'LocalTwoChannel')]
    if (!one.endsWith(';1') || two !== `${one.slice(0, -1)}2`) return
    const atMicros = nowMicros()
    await Promise.all([legs.recheck(one), legs.recheck(two)])
    const [first, second] = [legs.find(one), legs.find(two)]
    if (!first || !second) return
    emit({
      ...headOf(first, node, atMicros),
      kind: 'local-pair',
      otherChannel: second.channel.slice(0, 512),
      otherUniqueid: second.uniqueid.slice(0, 150),
    })
    if (first.linkedid !== second.linkedid) join(first, second, 'local', one)
  }

  /** Who took part may have another Linkedid now, or a little later. */
  function onTransfer(block: AmiBlock): void {
    const channels = block.fields
      .filter(([name]) => /Channel$/i.test(name))
      .slice(0, 8)
      .map(([name]) => field(block, name))
    for (const millis of [0, ...retryMillis])
      later(millis, () => channels.forEach((channel) => void legs.recheck(channel)))
  }

  return {
    onEvent,
    close() {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
    },
    counters,
  }
}
