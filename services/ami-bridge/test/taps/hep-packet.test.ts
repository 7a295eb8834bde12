import t from 'tap'
import { parseHep } from '../../src/taps/hep-packet.ts'
import { hep3 } from './hep-builder.ts'

const sip = Buffer.from('OPTIONS sip:a SIP/2.0\r\n\r\n\xff', 'latin1')

t.test('HEP 3 gives addresses, microseconds, channel and the exact bytes', (t) => {
  const parsed = parseHep(
    hep3({ payload: sip, seconds: 1_795_391_929, micros: 5, correlationId: 'PJSIP/trunk-00000005' }),
  )
  t.match(parsed, {
    ok: true,
    packet: {
      version: 3,
      srcAddress: '10.0.0.1',
      dstAddress: '10.0.0.2',
      srcPort: 5060,
      dstPort: 5061,
      ipProtocol: 17,
      atMicros: 1_795_391_929_000_005,
      protocolType: 1,
      correlationId: 'PJSIP/trunk-00000005',
    },
  })
  t.same(parsed.ok && Buffer.from(parsed.packet.payload), sip)
  t.end()
})

t.test('IPv6 addresses are written short', (t) => {
  const parsed = parseHep(
    hep3({ payload: sip, src: '20010db8000000000000000000000001', dst: '00000000000000000000ffff0a000001' }),
  )
  t.match(parsed, { packet: { srcAddress: '2001:db8::1', dstAddress: '10.0.0.1' } })
  t.end()
})

t.test('HEP 1 and 2 are read too', (t) => {
  const head = Buffer.from([1, 16, 2, 17, 0x13, 0xc4, 0x13, 0xc5, 10, 0, 1, 100, 192, 168, 0, 254])
  t.match(parseHep(Buffer.concat([head, sip])), {
    packet: {
      version: 1,
      srcAddress: '10.0.1.100',
      dstAddress: '192.168.0.254',
      srcPort: 5060,
      dstPort: 5061,
    },
  })
  const time = Buffer.alloc(12)
  time.writeUInt32LE(1_795_391_929, 0)
  time.writeUInt32LE(7, 4)
  head[0] = 2
  t.match(parseHep(Buffer.concat([head, time, sip])), {
    packet: { version: 2, atMicros: 1_795_391_929_000_007 },
  })
  t.end()
})

t.test('cut, lying and random packets are refused, never thrown at', (t) => {
  const whole = hep3({ payload: sip, correlationId: 'x', password: 'y' })
  for (let length = 0; length < whole.length; length++) t.equal(parseHep(whole.subarray(0, length)).ok, false)
  for (let at = 0; at < whole.length; at++)
    for (const value of [0, 1, 0x7f, 0xff]) {
      const broken = Buffer.from(whole)
      broken[at] = value
      t.type(parseHep(broken).ok, 'boolean')
    }
  t.match(parseHep(Buffer.alloc(0)), { ok: false })
  t.match(parseHep(hep3({ payload: undefined })), { ok: false, problem: 'no payload' })
  t.end()
})
