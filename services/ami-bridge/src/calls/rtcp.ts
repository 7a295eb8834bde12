import type { CallEventOf } from '@sip-capture/contract/bus/call-event.ts'
import type { Direction } from '@sip-capture/contract/bus/sip-record.ts'
import { type AmiBlock, field } from '../ami/block.ts'
import { headOf, type Leg } from './leg.ts'

/** HEP's protocol type 5: one JSON object, which does not say whether Asterisk sent or received it; only the addresses do. */
export interface HepRtcp {
  readonly payload: Uint8Array
  readonly atMicros: number
  /** `unknown` where both sides, or neither, are Asterisk's: then nobody can say whose report it is, and it is left out. */
  readonly direction: Direction
}

/** RTCP of confirmed legs, from AMI or from HEP, at most one report a second, leg and direction. */
export interface RtcpReports {
  fromEvent(block: AmiBlock, leg: Leg, atMicros: number): CallEventOf<'rtcp-reported'> | undefined
  fromHep(packet: HepRtcp, leg: Leg): CallEventOf<'rtcp-reported'> | undefined
  readonly counters: Readonly<Record<string, number>>
}

const everyMicros = 1_000_000
const maxPaces = 40_000
const maxJsonBytes = 16_384

type Report = Omit<CallEventOf<'rtcp-reported'>, keyof ReturnType<typeof headOf> | 'kind'>

export function createRtcpReports(node: string): RtcpReports {
  const counters = { rtcp_reports: 0, rtcp_skipped: 0, rtcp_undirected: 0 }
  /** When a leg's report of that direction was let through last. */
  const paces = new Map<string, number>()
  /** AMI tells of RTCP here: what HEP tells is the same again. */
  let isOnAmi = false

  function pace(leg: Leg, report: Report, atMicros: number): CallEventOf<'rtcp-reported'> | undefined {
    const key = `${leg.uniqueid} ${report.direction} ${report.aboutSsrc ?? ''}`
    if (atMicros - (paces.get(key) ?? -Infinity) < everyMicros) {
      counters.rtcp_skipped += 1
      return undefined
    }
    paces.delete(key)
    paces.set(key, atMicros)
    for (const [oldest, lastAt] of paces) {
      if (paces.size <= maxPaces && atMicros - lastAt < 60 * everyMicros) break
      paces.delete(oldest)
    }
    counters.rtcp_reports += 1
    return { ...headOf(leg, node, atMicros), kind: 'rtcp-reported', ...report }
  }

  return {
    fromEvent(block, leg, atMicros) {
      isOnAmi = true
      const report = parseRtcpEvent(block)
      return report && pace(leg, report, atMicros)
    },
    fromHep({ payload, atMicros, direction }, leg) {
      if (isOnAmi) return undefined
      if (direction === 'unknown') {
        counters.rtcp_undirected += 1
        return undefined
      }
      const report = parseRtcpJson(payload, direction === 'out' ? 'sent' : 'received')
      return report && pace(leg, report, atMicros)
    },
    counters,
  }
}

/** RTCPSent and RTCPReceived of Asterisk: `SSRC: 0x1a2b`, `Report0IAJitter: 12`, `RTT: 0.0123` in seconds. */
function parseRtcpEvent(block: AmiBlock): Report | undefined {
  const direction = directions[block.name]
  const ssrc = unsigned(field(block, 'SSRC'))
  if (!direction || ssrc === undefined) return undefined
  const number = (name: string) => unsigned(field(block, name))
  const roundTripSeconds = Number(field(block, 'RTT') || Number.NaN)
  return {
    from: 'ami',
    direction,
    ssrc,
    ...defined({
      aboutSsrc: number('Report0SourceSSRC'),
      jitter: number('Report0IAJitter'),
      fractionLost: byte(number('Report0FractionLost')),
      cumulativeLost: signed24(number('Report0CumulativeLost')),
      roundTripMicros:
        roundTripSeconds >= 0 && roundTripSeconds < 4_000 ? Math.round(roundTripSeconds * 1e6) : undefined,
      sentPackets: number('SentPackets'),
      sentOctets: number('SentOctets'),
    }),
  }
}

const directions: Readonly<Record<string, Report['direction']>> = {
  RTCPSent: 'sent',
  RTCPReceived: 'received',
}

/** res_hep_rtcp: `{"ssrc":…,"sender_information":{"packets":…,"octets":…},"report_blocks":[{"source_ssrc":…,"fraction_lost":…,
 *  "packets_lost":…,"ia_jitter":…}]}`. */
function parseRtcpJson(payload: Uint8Array, direction: Report['direction']): Report | undefined {
  if (payload.length > maxJsonBytes) return undefined
  let json: unknown
  try {
    json = JSON.parse(Buffer.from(payload).toString('utf8'))
  } catch {
    return undefined
  }
  const ssrc = numberIn(json, 'ssrc')
  if (ssrc === undefined) return undefined
  const blocks = member(json, 'report_blocks')
  const block: unknown = Array.isArray(blocks) ? blocks[0] : undefined
  const sender = member(json, 'sender_information')
  return {
    from: 'hep',
    direction,
    ssrc,
    ...defined({
      aboutSsrc: numberIn(block, 'source_ssrc'),
      jitter: numberIn(block, 'ia_jitter'),
      fractionLost: byte(numberIn(block, 'fraction_lost')),
      cumulativeLost: signed24(numberIn(block, 'packets_lost')),
      sentPackets: numberIn(sender, 'packets'),
      sentOctets: numberIn(sender, 'octets'),
    }),
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null
    ? Object.getOwnPropertyDescriptor(value, name)?.value
    : undefined
}

function numberIn(value: unknown, name: string): number | undefined {
  const found = member(value, name)
  return typeof found === 'number' && Number.isInteger(found) && found >= 0 && found <= 0xffff_ffff
    ? found
    : undefined
}

/** `17`, `0x1a2b3c4d` → a number of 32 bits. */
function unsigned(text: string): number | undefined {
  if (!/^(?:0x[0-9a-f]{1,8}|\d{1,10})$/i.test(text)) return undefined
  const number = Number(text)
  return number <= 0xffff_ffff ? number : undefined
}

const byte = (number: number | undefined): number | undefined =>
  number !== undefined && number <= 255 ? number : undefined

/** 24 bits with a sign (RFC 3550 6.4.1). */
const signed24 = (number: number | undefined): number | undefined =>
  number === undefined || number > 0xff_ffff ? undefined : number >= 0x80_0000 ? number - 0x100_0000 : number

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

function defined<T extends object>(values: T): Defined<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Defined<T>
}
