import type { Ladder } from '@sip-capture/sip/ladder.ts'
import { useState } from 'preact/hooks'
import { useLazyPart } from '../../components/lazy-part.ts'
import type { LadderOptions } from '../capture/SipLadderPanel.tsx'
import type { WholeCall } from '../../state/read-call.ts'

const loadShare = () => import('./share-dialog.tsx')

/** How the ladder is drawn, and how it leaves the page. */
export function LadderTools(props: {
  call: WholeCall
  ladder: Ladder
  options: LadderOptions
  onChange: (options: LadderOptions) => void
}) {
  const { call, ladder, options, onChange } = props
  const [isSharing, setIsSharing] = useState(false)
  const [problem, setProblem] = useState('')
  const share = useLazyPart(loadShare, isSharing)
  const repeats = ladder.arrows.reduce((count, { repeatOf }) => count + (repeatOf === null ? 0 : 1), 0)
  const save = async (format: 'svg' | 'png') => {
    try {
      const { saveLadder } = await import('./save-ladder.tsx')
      setProblem(await saveLadder({ call, ladder, options, format }))
    } catch {
      setProblem('This part of the page could not be loaded. Reload the page.')
    }
  }
  return (
    <div class="ladder-tools">
      <button
        type="button"
        class="toggle"
        aria-pressed={options.isToScale}
        title="Distances are times; off: messages close together"
        onClick={() => onChange({ ...options, isToScale: !options.isToScale })}
      >
        To scale
      </button>
      {repeats > 0 && (
        <button
          type="button"
          class="toggle"
          aria-pressed={!options.isFolded}
          title="Draw each retransmission; off: counted at the first sending"
          onClick={() => onChange({ ...options, isFolded: !options.isFolded })}
        >
          Repeats <span class="num">{repeats}</span>
        </button>
      )}
      <span class="segments" role="group" aria-label="Save the ladder">
        <button type="button" title="Save the ladder as SVG" onClick={() => void save('svg')}>
          SVG
        </button>
        <button type="button" title="Save the ladder as PNG" onClick={() => void save('png')}>
          PNG
        </button>
        <button type="button" title="Text of the ladder for a ticket" onClick={() => setIsSharing(true)}>
          Text
        </button>
      </span>
      {problem !== '' && (
        <span class="warn" role="alert">
          {problem}
        </span>
      )}
      {isSharing && share.part !== null && (
        <share.part.ShareDialog call={call} ladder={ladder} onClose={() => setIsSharing(false)} />
      )}
    </div>
  )
}
