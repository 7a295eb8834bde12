import t from 'tap'
import { createLeg } from '../../src/calls/leg.ts'
import { createRtcpReports } from '../../src/calls/rtcp.ts'

/** As res_hep_rtcp of Asterisk 22 writes it. */
const json = {
  ssrc: 1_000,
  type: 200,
  report_count: 1,
  sender_information: {
    ntp_timestamp_sec: '1',
    ntp_timestamp_usec: '2',
    rtp_timestamp: 3,
    packets: 250,
    octets: 40_000,
  },
  report_blocks: [
    {
      source_ssrc: 2_000,
      fraction_lost: 12,
      packets_lost: 5,
      highest_seq_no: 1,
      ia_jitter: 33,
      lsr: 1,
      dlsr: 2,
    },
  ],
}
const payload = Buffer.from(JSON.stringify(json))
const atMicros = 1_795_391_929_000_000
const leg = createLeg('PJSIP/phone-00000001', { uniqueid: 'u1', linkedid: 'L1' }, atMicros)

t.test('the addresses say whether Asterisk sent a report or received it', async (t) => {
  const reports = createRtcpReports('pbx1')
  t.match(reports.fromHep({ payload, atMicros, direction: 'out' }, leg), {
    direction: 'sent',
    from: 'hep',
    ssrc: 1_000,
    aboutSsrc: 2_000,
    jitter: 33,
    fractionLost: 12,
    cumulativeLost: 5,
    sentPackets: 250,
  })
  t.match(reports.fromHep({ payload, atMicros, direction: 'in' }, leg), { direction: 'received' })
})

t.test('a report of which nobody can say whose it is, is left out and counted', async (t) => {
  const reports = createRtcpReports('pbx1')
  t.equal(reports.fromHep({ payload, atMicros, direction: 'unknown' }, leg), undefined)
  t.equal(reports.counters['rtcp_undirected'], 1)
  t.equal(reports.counters['rtcp_reports'], 0)
})

t.test('one report a second and direction, and no words of a payload that is none', async (t) => {
  const reports = createRtcpReports('pbx1')
  const out = (at: number, bytes: Uint8Array = payload) =>
    reports.fromHep({ payload: bytes, atMicros: at, direction: 'out' }, leg)
  t.ok(out(atMicros))
  t.equal(out(atMicros + 900_000), undefined)
  t.ok(out(atMicros + 1_000_000))
  t.equal(reports.counters['rtcp_skipped'], 1)
  for (const text of ['', '{', '[]', 'null', '{"ssrc":-1}', '{"ssrc":"1"}'])
    t.equal(out(atMicros + 9_000_000, Buffer.from(text)), undefined, text)
})
