import type { Resolution } from '@sip-capture/contract/rest/call-log.ts'
import { useEffect, useRef } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, toMicros } from '../../format/time.ts'

export type Candidate = Resolution['candidates'][number]

/** Calls that a link may mean, the nearest first. A person chooses, also when there is only one. */
export function CandidateList(props: {
  candidates: readonly Candidate[]
  hrefOf: (callId: string) => string
  onChoose?: ((callId: string) => void) | undefined
}) {
  const { candidates, hrefOf, onChoose } = props
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => {
    const element = list.current
    if (element === null) return undefined
    // On the list, not on a call: Enter opens nothing that was not chosen.
    element.focus({ preventScroll: true })
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return
      const links = [...element.querySelectorAll('a')]
      const now = links.findIndex((link) => link === document.activeElement)
      const next = nextIndex(event.key, now, links.length)
      if (next === null) return
      event.preventDefault()
      links[next]?.focus()
    }
    element.addEventListener('keydown', onKeyDown)
    return () => element.removeEventListener('keydown', onKeyDown)
  }, [])
  return (
    <ol ref={list} class="candidates" tabIndex={-1} aria-label="Calls that may be meant">
      {candidates.map(({ call, why }) => {
        const callId = call.callIds[0] ?? call.id
        return (
          <li key={call.id}>
            <a
              class="candidate"
              href={hrefOf(callId)}
              onClick={(event) => {
                if (onChoose === undefined || event.ctrlKey || event.metaKey || event.shiftKey) return
                event.preventDefault()
                onChoose(callId)
              }}
            >
              <span class="candidate-parties">
                {partyText(call.from)} <span aria-hidden="true">→</span>
                <span class="visually-hidden">to</span> {partyText(call.to)}
                <span class={`state state-${call.state}`}>
                  {call.state.replaceAll('-', ' ')}
                  {call.code === null ? '' : ` ${call.code}`}
                </span>
              </span>
              <span class="candidate-why">{shownText(why.join(' · '))}</span>
              <span class="faint num">
                {fullTime(toMicros(call.startedAt))} · {plural(call.legs, 'leg')}
                {call.trunks.length > 0 && ` · ${shownText(call.trunks.join(', '))}`}
                {call.node !== '' && ` · on ${shownText(call.node)}`}
              </span>
              {call.verdict !== null && <span class="faint">{shownText(call.verdict.title)}</span>}
            </a>
          </li>
        )
      })}
    </ol>
  )
}

/** Where a key leads; `now` is -1 before the first choice. */
export function nextIndex(key: string, now: number, count: number): number | null {
  if (count === 0) return null
  if (key === 'ArrowDown' || key === 'j') return Math.min(count - 1, now + 1)
  if (key === 'ArrowUp' || key === 'k') return Math.max(0, now - 1)
  if (key === 'Home') return 0
  if (key === 'End') return count - 1
  return null
}

/** How many of them lie as near as the nearest. */
export function equallyNear(candidates: readonly Candidate[]): number {
  const nearest = candidates[0]?.distanceSeconds
  if (nearest === undefined || nearest === null) return 0
  return candidates.filter(({ distanceSeconds }) => distanceSeconds === nearest).length
}

function partyText({ number, name }: { number: string; name: string }): string {
  return shownText(name === '' || name === number ? number : `${name} (${number})`)
}
