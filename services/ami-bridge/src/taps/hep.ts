import { createSocket, type Socket } from 'node:dgram'
import { timingSafeEqual } from 'node:crypto'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { describeListenError } from '@sip-capture/service/lifecycle.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { looksLikeSip, parseMessage, type SipMessage } from '@sip-capture/sip/message.ts'
import type { ListenAddress } from '../config.ts'
import { type HepPacket, parseHep } from './hep-packet.ts'

export interface HepTap {
  readonly address: ListenAddress
  readonly counters: Readonly<Record<string, number>>
  close(): Promise<void>
}

const sip = 1
const rtcp = 5
const receiveBufferBytes = 8 * 1024 * 1024
/** A stamp further away than this from our clock is not believed to be a time at all. */
const maxClockErrorMicros = 366 * 24 * 3_600 * 1_000_000

/**
 * Receives HEP from Asterisk. Bytes are exact and stamps are Asterisk's. Each packet is handed on at once, so nothing
 * queues here but the kernel's own buffer.
 * @throws ConfigError naming HEP_LISTEN when the address cannot be had.
 */
export async function createHepTap(options: {
  listen: ListenAddress
  password: string | undefined
  logger: Logger
  /** `message`: undefined where the payload begins like SIP and cannot be read. */
  onSip: (packet: HepPacket, message: SipMessage | undefined) => void
  /** RTCP as JSON. */
  onRtcp: (packet: HepPacket) => void
}): Promise<HepTap> {
  const { listen, password, logger, onSip, onRtcp } = options
  const counters = {
    hep_received: 0,
    hep_sip: 0,
    hep_rtcp: 0,
    hep_other: 0,
    hep_malformed: 0,
    hep_wrong_password: 0,
  }
  const socket = createSocket({ type: listen.host.includes(':') ? 'udp6' : 'udp4' })
  await bind(socket, listen)
  try {
    socket.setRecvBufferSize(receiveBufferBytes)
  } catch (error) {
    logger.debug({ err: error }, 'the receive buffer stays as the system has it')
  }

  function receive(bytes: Uint8Array): void {
    counters.hep_received += 1
    const parsed = parseHep(bytes)
    if (!parsed.ok) {
      counters.hep_malformed += 1
      return
    }
    const { packet } = parsed
    if (password !== undefined && !isEqual(packet.password, password)) {
      if (counters.hep_wrong_password === 0)
        logger.warn('HEP packets with another password than HEP_PASSWORD are thrown away')
      counters.hep_wrong_password += 1
      return
    }
    const isCredible = Math.abs(packet.atMicros - Date.now() * 1_000) < maxClockErrorMicros
    const stamped = isCredible ? packet : { ...packet, atMicros: nowMicros() }
    if (packet.protocolType === rtcp) {
      counters.hep_rtcp += 1
      onRtcp(stamped)
      return
    }
    const read = packet.protocolType === sip ? parseMessage(packet.payload) : undefined
    if (!read || (!read.ok && !looksLikeSip(packet.payload))) {
      counters.hep_other += 1
      return
    }
    counters.hep_sip += 1
    onSip(stamped, read.ok ? read.message : undefined)
  }

  socket.on('message', receive)
  socket.on('error', (error) => logger.error({ err: error }, 'receiving HEP failed'))
  const { address, port } = socket.address()
  return {
    address: { host: address, port },
    counters,
    close: () => new Promise((resolve) => socket.close(() => resolve())),
  }
}

function bind(socket: Socket, listen: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) =>
      reject(describeListenError(error, 'HEP_LISTEN', `${listen.host}:${listen.port}`))
    socket.once('error', onError)
    socket.bind(listen.port, listen.host, () => {
      socket.off('error', onError)
      resolve()
    })
  })
}

function isEqual(given: string, wanted: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(wanted)]
  return a.length === b.length && timingSafeEqual(a, b)
}
