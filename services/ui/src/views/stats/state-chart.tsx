import { type CallStats, type LoggedCallState, loggedCallState } from '@sip-capture/contract/rest/call-log.ts'
import { toRfc3339 } from '@sip-capture/contract/time.ts'
import { useState } from 'preact/hooks'
import { callStateLooks } from '../../format/call-state.ts'
import { countText, plural } from '../../format/number.ts'
import { rangeText, toMicros } from '../../format/time.ts'
import type { CallsFilter } from '../../state/calls-filter.ts'
import { behind, linkBehind } from './calls-behind.ts'

/** From the ground up: failures stand on one line, so that their heights compare. */
const order: readonly LoggedCallState[] = [
  'failed',
  'rejected',
  'busy',
  'cancelled',
  'diverted',
  'completed',
  'in-call',
  'ringing',
  'setting-up',
]
const height = 120

/** Calls by state over time: a bar for each stretch, each a link to its calls. Arrows go from bar to bar. */
export function StateChart({ stats, filter }: { stats: CallStats; filter: CallsFilter }) {
  const [current, setCurrent] = useState(0)
  const groups = order.flatMap((state) => stats.byState.find(({ key }) => key === state) ?? [])
  const most = Math.max(1, ...stats.buckets.map(({ calls }) => calls))
  const { buckets } = stats
  const move = (event: KeyboardEvent) => {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0
    if (step === 0) return
    const bars = [...(event.currentTarget as HTMLElement).querySelectorAll('a')]
    const next = bars[bars.findIndex((bar) => bar === document.activeElement) + step]
    if (next === undefined) return
    event.preventDefault()
    setCurrent(Number(next.dataset['bucket']))
    next.focus()
  }
  const firstUsed = Math.max(
    0,
    buckets.findIndex(({ calls }) => calls > 0),
  )
  const reachable = (buckets[current]?.calls ?? 0) > 0 ? current : firstUsed
  return (
    <section class="stats-part" aria-label="Calls by state over time">
      <h2>Calls by state</h2>
      <ul class="legend">
        {groups.map(({ key, calls }) => {
          const state = loggedCallState.parse(key)
          const { sign, word } = callStateLooks[state]
          return (
            <li key={key}>
              <a href={linkBehind(filter, behind.state(key))}>
                <span class={`legend-mark bar-${state}`} aria-hidden="true" />
                <span aria-hidden="true">{sign} </span>
                {word} <b class="num">{countText(calls)}</b>
              </a>
            </li>
          )
        })}
      </ul>
      <div class="chart">
        <span class="chart-most num faint" aria-hidden="true">
          {countText(most)}
        </span>
        <svg viewBox={`0 0 ${buckets.length} ${height}`} preserveAspectRatio="none" aria-hidden="true">
          {buckets.map((_, index) => {
            let top = height
            return groups.map(({ key, buckets: counts }) => {
              const tall = ((counts[index] ?? 0) / most) * height
              top -= tall
              return tall === 0 ? null : (
                <rect key={key} class={`bar-${key}`} x={index + 0.06} width={0.88} y={top} height={tall} />
              )
            })
          })}
        </svg>
        <div
          class="chart-bars"
          role="toolbar"
          tabIndex={-1}
          aria-label="Calls by time; arrows go from bar to bar"
          onKeyDown={move}
        >
          {buckets.map(({ at, calls }, index) => {
            if (calls === 0) return <span key={at} />
            const sinceMicros = toMicros(at)
            const untilMicros = Math.min(sinceMicros + stats.bucketSeconds * 1_000_000, toMicros(stats.until))
            const counted = groups
              .filter((group) => (group.buckets[index] ?? 0) > 0)
              .map((group) => `${group.buckets[index]} ${group.key.replaceAll('-', ' ')}`)
            const words = `${rangeText(at, toRfc3339(untilMicros))}: ${plural(calls, 'call')} (${counted.join(', ')})`
            return (
              <a
                key={at}
                href={linkBehind({ ...filter, sinceMicros, untilMicros }, behind.all)}
                data-bucket={index}
                tabIndex={index === reachable ? 0 : -1}
                aria-label={words}
                title={words}
                onFocus={() => setCurrent(index)}
              />
            )
          })}
        </div>
      </div>
      <p class="chart-axis num faint">{rangeText(stats.since, stats.until)}</p>
    </section>
  )
}
