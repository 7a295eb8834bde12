import { callQuality, type MediaQuality } from '@sip-capture/contract/rest/quality.ts'
import { useEffect, useMemo } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { Polled } from '../../state/polled.ts'
import { QualityPlot } from './quality-plot.tsx'

const everyMillis = 5_000

/** What RTCP told of the call's media: each RTP stream of each leg as its receiver heard it. */
export function QualityPanel(props: { callId: string; capture: string | null; isRunning: boolean }) {
  const { callId, capture, isRunning } = props
  const polled = useMemo(() => {
    const query = capture === null ? '' : `?${new URLSearchParams({ capture })}`
    return new Polled(`/calls/${encodeURIComponent(callId)}/quality${query}`, callQuality)
  }, [callId, capture])
  // RTCP ends with the call, and so does asking.
  useEffect(() => {
    if (isRunning) return polled.start(everyMillis)
    void polled.load()
    return undefined
  }, [polled, isRunning])
  const answer = polled.answer.value
  const problem = polled.problem.value
  if (problem !== null)
    return (
      <p class="notice" role="alert">
        {shownText(problem)}
      </p>
    )
  if (answer === null) return <p class="empty">Loading …</p>
  if (answer.streams.length === 0)
    return (
      <div class="empty">
        <h2>No RTCP was told of this call</h2>
        <p>
          Asterisk tells of RTCP over AMI (class <code>reporting</code>) or HEP (<code>res_hep_rtcp</code>),
          every five seconds of a call. A shorter call, direct media between the phones, an imported file, or
          a far end that sends none leaves nothing to show.
        </p>
      </div>
    )
  return (
    <div class="quality">
      {answer.streams.map((stream) => (
        <Stream key={`${stream.uniqueid} ${stream.direction} ${stream.ssrc}`} stream={stream} />
      ))}
      {answer.truncated && <p class="notice">There were more reports than are looked at.</p>}
      <details class="formula">
        <summary>How MOS is estimated</summary>
        <p>
          The E-model of ITU-T G.107, narrowband, reduced to what RTCP tells: R = 93.2 − Id − Ie,eff with Id =
          0.024·d + 0.11·(d − 177.3)·H(d − 177.3), Ie,eff = Ie + (95 − Ie)·Ppl/(Ppl + Bpl), and MOS = 1 +
          0.035·R + R·(R − 60)·(100 − R)·7·10⁻⁶.
        </p>
        <p>
          d, the delay from mouth to ear, is taken as half the round trip, a packet of 20 ms and a jitter
          buffer of twice the jitter; Ppl is the loss in percent; Ie and Bpl of the codec are those of ITU-T
          G.113 (G.711 with loss concealment). Assumed: losses at random, no echo, no loss in the jitter
          buffer. It is an estimate from the network, not what somebody heard.
        </p>
      </details>
    </div>
  )
}

function Stream({ stream }: { stream: MediaQuality }) {
  const { channel, direction, codec, reports, lostPackets, jitterMillis, lossPercent, roundTripMillis, mos } =
    stream
  const from = direction === 'received'
  return (
    <section class="stream" aria-label={`${shownText(channel)}, ${direction}`}>
      <h3>
        <span class="mono wrap">{shownText(channel)}</span>{' '}
        {from ? (
          <>
            <span aria-hidden="true">→</span> what Asterisk received
          </>
        ) : (
          <>
            <span aria-hidden="true">←</span> what the far end received
          </>
        )}
      </h3>
      <dl class="figures">
        <Figure
          name="MOS"
          value={mos === null ? '—' : mos.toFixed(2)}
          title={stream.noMos}
          look={mosLook(mos)}
        />
        <Figure name="Jitter" value={pair(jitterMillis, 'ms')} title="mean, and the most" />
        <Figure name="Loss" value={pair(lossPercent, '%')} title="mean of the reports, and the most" />
        <Figure
          name="Round trip"
          value={pair(roundTripMillis, 'ms')}
          title="of this leg; mean, and the most"
        />
        <Figure name="Lost" value={lostPackets === null ? '—' : plural(lostPackets, 'packet')} title="" />
      </dl>
      {stream.noMos !== '' && <p class="faint">No MOS: {shownText(stream.noMos)}.</p>}
      <QualityPlot stream={stream} />
      <p class="faint">
        {codec === null ? 'codec not known' : shownText(codec)} · SSRC{' '}
        {stream.ssrc.toString(16).padStart(8, '0')} · {plural(reports, 'report')} by{' '}
        {stream.from === 'ami' ? 'AMI' : 'HEP'}
      </p>
    </section>
  )
}

function Figure(props: { name: string; value: string; title: string; look?: string }) {
  return (
    <div title={props.title}>
      <dt>{props.name}</dt>
      <dd class={`num${props.look === undefined ? '' : ` look-${props.look}`}`}>{props.value}</dd>
    </div>
  )
}

function pair(value: { mean: number; max: number } | null, unit: string): string {
  if (value === null) return '—'
  const [mean, max] = [figure(value.mean), figure(value.max)]
  return mean === max ? `${mean} ${unit}` : `${mean} ${unit}, up to ${max}`
}

function figure(value: number): string {
  return value === 0 ? '0' : value < 10 ? value.toFixed(1) : value.toFixed(0)
}

/** G.107 table B.1: 4.03 and more satisfies, below 3.1 nearly all are dissatisfied. */
function mosLook(mos: number | null): string {
  return mos === null ? 'progress' : mos >= 4.03 ? 'success' : mos >= 3.1 ? 'challenge' : 'failure'
}
