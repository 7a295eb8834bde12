/** Names of everything on the bus. Only this file spells them; every key starts with the setting `BUS_PREFIX`. */
export interface BusKeys {
  /** Pub/sub channel: one JSON `TrafficMessage` a publish. The seed's live AMI path; anyone may subscribe. */
  readonly traffic: string
  /** Stream: the same messages as batches of `SipRecord`, so that a restarting API loses none. */
  readonly trafficLog: string
  /** Stream: batches of `SipRecord` seen on the wire, with their frames. */
  readonly capture: string
  /** The same where several Redis share it by Call-ID: one such stream on each, `index` from 0. */
  captureShard(index: number): string
  /** Stream: batches of `CallEvent`. */
  readonly calls: string
  /** Stream: batches of `EndpointDirectory`; each entry is a whole directory and replaces the one before. */
  readonly endpoints: string
  /** Stream: batches of `SourceStatus`, one each 5 s and at every change of state. */
  readonly sources: string
  /** Stream: payloads that failed their schema, with the problem. */
  readonly deadLetter: string
  /** Pub/sub channel of one bridge, by its node: one JSON `OptionRequest` a publish. Nobody listens: there is no such bridge. */
  optionRequests(node: string): string
  /** Pub/sub channel: one JSON `OptionAnswer` a publish. */
  readonly optionAnswers: string
  /** A key below the prefix for one service's own durable state, for example a tap's cursor. */
  own(service: string, name: string): string
}

export const defaultBusPrefix = 'callytics:'

export function createBusKeys(prefix: string = defaultBusPrefix): BusKeys {
  return Object.freeze({
    traffic: `${prefix}sip-traffic`,
    trafficLog: `${prefix}sip-traffic:log`,
    capture: `${prefix}sip-capture`,
    captureShard: (index: number) => `${prefix}sip-capture:{${index}}`,
    calls: `${prefix}calls`,
    endpoints: `${prefix}endpoints`,
    sources: `${prefix}sources`,
    deadLetter: `${prefix}dead-letter`,
    optionRequests: (node: string) => `${prefix}option-requests:${node}`,
    optionAnswers: `${prefix}option-answers`,
    own: (service: string, name: string) => `${prefix}${service}:${name}`,
  })
}

/** The consumer group that writes history: every API worker joins it, and only it acknowledges. */
export const historyGroup = 'history'
