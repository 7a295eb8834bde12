/** A HEP 3 packet around a SIP message, as Asterisk's res_hep sends it (UDP over IPv4). */
export function toHep(payload: Uint8Array, correlationId: string): Buffer {
  const now = Date.now()
  const body = Buffer.concat([
    chunk(0x01, Buffer.from([2])),
    chunk(0x02, Buffer.from([17])),
    chunk(0x03, Buffer.from([198, 51, 100, 20])),
    chunk(0x04, Buffer.from([192, 0, 2, 10])),
    chunk(0x07, number(5060, 2)),
    chunk(0x08, number(5060, 2)),
    chunk(0x09, number(Math.floor(now / 1_000), 4)),
    chunk(0x0a, number((now % 1_000) * 1_000, 4)),
    chunk(0x0b, Buffer.from([1])),
    chunk(0x0c, number(1, 4)),
    chunk(0x11, Buffer.from(correlationId)),
    chunk(0x0f, payload),
  ])
  return Buffer.concat([Buffer.from('HEP3'), number(body.length + 6, 2), body])
}

function chunk(type: number, value: Uint8Array): Buffer {
  return Buffer.concat([number(0, 2), number(type, 2), number(value.length + 6, 2), value])
}

function number(value: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes)
  buffer.writeUIntBE(value, 0, bytes)
  return buffer
}
