import { type Resolution, resolution } from '@sip-capture/contract/rest/call-log.ts'
import { useEffect, useState } from 'preact/hooks'
import { plural } from '../../format/number.ts'
import { shownText } from '../../format/shown-text.ts'
import { accessToken } from '../../state/access.ts'
import { type ApiResult, getJson } from '../../state/api-client.ts'
import { type DeepLink, toResolveQuery } from '../../state/deep-link.ts'
import { CallMissing } from './call-missing.tsx'
import { CandidateList, equallyNear } from './candidate-list.tsx'
import { TimeLine } from './time-line.tsx'

/** A link being resolved. What it names is handed to `onFound`; what is only near is a list; else: what was looked for. */
export function ResolvePane(props: {
  link: DeepLink
  hrefOf: (callId: string) => string
  onFound: (callId: string) => void
  onChoose?: (callId: string) => void
  onFindText?: (text: string) => void
}) {
  const { link } = props
  const [answer, setAnswer] = useState<ApiResult<Resolution> | null>(null)
  const [looks, setLooks] = useState(0)
  const query = toResolveQuery(link).toString()
  const token = accessToken.value
  useEffect(() => {
    setAnswer(null)
    if (query === '') return undefined
    const controller = new AbortController()
    const ask = async () => {
      const next = await getJson(`/resolve?${query}`, resolution, controller.signal)
      if (controller.signal.aborted) return
      if (next.ok && next.value.callId !== null) props.onFound(next.value.callId)
      else setAnswer(next)
    }
    void ask()
    return () => controller.abort()
  }, [query, looks, token])

  const lookAgain = () => setLooks(looks + 1)
  if (query !== '' && answer === null)
    return (
      <div class="empty" role="status">
        <h2>Looking for the call …</h2>
      </div>
    )
  if (answer !== null && !answer.ok)
    return answer.problem.kind === 'unauthorized' ? null : (
      <div class="empty" role="alert">
        <h2>The link could not be followed</h2>
        <p>{shownText(answer.problem.message)}</p>
        <button type="button" class="button" onClick={lookAgain}>
          Try again
        </button>
      </div>
    )
  const candidates = answer?.value.candidates ?? []
  if (candidates.length === 0)
    return <CallMissing link={link} onRetry={lookAgain} onFindText={props.onFindText} />
  const equal = equallyNear(candidates)
  return (
    <div class="resolve" data-testid="candidates">
      <h2>{candidates.length === 1 ? 'One call may be meant' : `${candidates.length} calls may be meant`}</h2>
      <p>
        {link.call === null ? 'The link names no call.' : <IdUnknown id={link.call} />}{' '}
        {candidates[0]?.distanceSeconds === null
          ? 'These have its numbers, the newest first.'
          : 'These are near, the nearest first.'}{' '}
        {equal > 1 && (
          <b>{plural(equal, 'call')} are equally near: the time alone does not tell which is meant.</b>
        )}
      </p>
      {link.at !== null && <TimeLine at={link.at} />}
      <CandidateList candidates={candidates} hrefOf={props.hrefOf} onChoose={props.onChoose} />
      <p class="faint candidate-keys">
        <kbd>↓</kbd> <kbd>↑</kbd> choose, <kbd>Enter</kbd> opens.
      </p>
    </div>
  )
}

function IdUnknown({ id }: { id: string }) {
  return (
    <>
      No single call has the id <span class="mono wrap">{shownText(id.slice(0, 300))}</span>.
    </>
  )
}
