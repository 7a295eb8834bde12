export interface HepFields {
  readonly payload: Uint8Array | undefined
  /** Hex of 4 or 16 bytes. */
  readonly src?: string
  readonly dst?: string
  readonly srcPort?: number
  readonly dstPort?: number
  readonly seconds?: number
  readonly micros?: number
  readonly password?: string
  readonly correlationId?: string
  readonly protocolType?: number
}

/** A HEP 3 packet as Asterisk sends it. */
export function hep3(fields: HepFields): Buffer {
  const src = Buffer.from(fields.src ?? '0a000001', 'hex')
  const dst = Buffer.from(fields.dst ?? '0a000002', 'hex')
  const isV6 = src.length === 16
  const chunks = [
    chunk(0x01, Buffer.from([isV6 ? 10 : 2])),
    chunk(0x02, Buffer.from([17])),
    chunk(isV6 ? 0x05 : 0x03, src),
    chunk(isV6 ? 0x06 : 0x04, dst),
    chunk(0x07, number(fields.srcPort ?? 5060, 2)),
    chunk(0x08, number(fields.dstPort ?? 5061, 2)),
    chunk(0x09, number(fields.seconds ?? 1_795_391_929, 4)),
    chunk(0x0a, number(fields.micros ?? 0, 4)),
    chunk(0x0b, Buffer.from([fields.protocolType ?? 1])),
    chunk(0x0c, number(1, 4)),
    ...(fields.password === undefined ? [] : [chunk(0x0e, Buffer.from(fields.password))]),
    ...(fields.correlationId === undefined ? [] : [chunk(0x11, Buffer.from(fields.correlationId))]),
    ...(fields.payload === undefined ? [] : [chunk(0x0f, Buffer.from(fields.payload))]),
  ]
  const body = Buffer.concat(chunks)
  return Buffer.concat([Buffer.from('HEP3'), number(body.length + 6, 2), body])
}

function chunk(type: number, value: Buffer): Buffer {
  return Buffer.concat([number(0, 2), number(type, 2), number(value.length + 6, 2), value])
}

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
