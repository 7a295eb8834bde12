import { type Resolution, resolution } from '@sip-capture/contract/rest/call-log.ts'
import { useState } from 'preact/hooks'
import { shownText } from '../../format/shown-text.ts'
import { type ApiResult, getJson } from '../../state/api-client.ts'
import { type DeepLink, readDeepLink, toResolveQuery } from '../../state/deep-link.ts'
import { CandidateList } from '../resolve/candidate-list.tsx'
import { TimeLine } from '../resolve/time-line.tsx'

interface Tried {
  readonly link: DeepLink
  readonly path: string
  readonly answer: ApiResult<Resolution>
}

const callHref = (callId: string) => `/capture?callId=${encodeURIComponent(callId)}`

/** An id and a time as a CDR has them → what a link with them would open. */
export function TryLink() {
  const [id, setId] = useState('')
  const [at, setAt] = useState('')
  const [tried, setTried] = useState<Tried | null>(null)
  const tryIt = async () => {
    const params = new URLSearchParams()
    if (id.trim() !== '') params.set('call', id.trim())
    if (at.trim() !== '') params.set('at', at.trim())
    const link = readDeepLink(params)
    if (link === null) return
    const query = toResolveQuery(link)
    // A time that cannot be read asks for nothing.
    const answer: ApiResult<Resolution> =
      query.size === 0
        ? { ok: true, value: { match: 'none', callId: null, candidates: [] } }
        : await getJson(`/resolve?${query}`, resolution)
    setTried({ link, path: `/capture?${params}`, answer })
  }
  return (
    <section aria-label="Try it">
      <h2>Try it</h2>
      <form
        class="links-form"
        onSubmit={(event) => {
          event.preventDefault()
          void tryIt()
        }}
      >
        <label class="field">
          <span class="field-label">Uniqueid, Linkedid, Call-ID, channel or number</span>
          <input
            class="mono"
            value={id}
            maxLength={2000}
            onInput={(event) => setId(event.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span class="field-label">Time (may be left out)</span>
          <input
            class="mono"
            value={at}
            maxLength={60}
            placeholder="2026-11-23 14:03:07"
            onInput={(event) => setAt(event.currentTarget.value)}
          />
        </label>
        <button type="submit" class="button primary">
          Resolve
        </button>
      </form>
      <div role="status" data-testid="tried">
        {tried !== null && <Outcome {...tried} />}
      </div>
    </section>
  )
}

const words: Readonly<Record<Resolution['match'], string>> = {
  exact: 'Exact: this link opens the call with this Call-ID.',
  linked: 'Linked: Asterisk told that this id is one of the call’s; the link opens it.',
  proximity: 'Near: the link shows these calls, and a person chooses.',
  none: 'None: the link shows a page that says what was looked for.',
}

function Outcome({ link, path, answer }: Tried) {
  if (!answer.ok) return <p class="warn">! {shownText(answer.problem.message)}</p>
  const { match, callId, candidates } = answer.value
  return (
    <>
      <p>
        <b>{words[match]}</b>
      </p>
      {link.at !== null && <TimeLine at={link.at} />}
      <p class="wrap">
        <a href={path} class="mono">
          {shownText(path.slice(0, 500))}
        </a>
      </p>
      {candidates.length > 0 ? (
        <CandidateList candidates={candidates} hrefOf={callHref} />
      ) : (
        callId !== null && <p class="mono wrap">Call-ID {shownText(callId.slice(0, 300))}</p>
      )}
    </>
  )
}
