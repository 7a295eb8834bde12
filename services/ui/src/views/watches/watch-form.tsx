import { asksForRunning, type WatchView } from '@sip-capture/contract/rest/watch.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Check } from '../../components/export-options.tsx'
import { useSearchAssist } from '../../components/search-bar.tsx'
import { shownText } from '../../format/shown-text.ts'
import { createWatch, orderOfWatch, updateWatch, type WatchOrder } from '../../state/watch-client.ts'

/** Makes a watch, or changes one. What is wrong is said before it is sent, in the words of the field. */
export function WatchForm(props: {
  watch: WatchView | null
  /** For a new one: what was searched for on the page of calls. */
  search: string
  onClose: () => void
  onSaved: () => void
}) {
  const { watch } = props
  const [order, setOrder] = useState<WatchOrder>(() =>
    watch === null ? newOrder(props.search) : orderOfWatch(watch),
  )
  /** Once touched, what the search says no longer sets it. */
  const [isChosen, setIsChosen] = useState(watch !== null)
  const [problem, setProblem] = useState('')
  const [sending, setSending] = useState(false)
  const nameField = useRef<HTMLInputElement>(null)
  // Asked for by a button or a link elsewhere: brought into view, ready to type.
  useEffect(() => nameField.current?.focus(), [])
  const assist = useSearchAssist(true)
  const change = (part: Partial<WatchOrder>) => setOrder({ ...order, ...part })
  const searchProblem = order.search.trim() === '' ? null : (assist?.problemOf('calls', order.search) ?? null)

  const save = async () => {
    const fault =
      order.name.trim() === ''
        ? 'Name: is needed, notices begin with it.'
        : searchProblem === null
          ? ''
          : `Search: ${searchProblem.message}.`
    setProblem(fault)
    if (fault !== '') return
    setSending(true)
    const answer = await (watch === null ? createWatch(order) : updateWatch(watch.id, order))
    setSending(false)
    if (answer.ok) props.onSaved()
    else setProblem(answer.problem.message)
  }
  return (
    <form
      class="schedule-form watch-form"
      noValidate
      aria-label={watch === null ? 'New watch' : 'Edit watch'}
      onSubmit={(event) => {
        event.preventDefault()
        void save()
      }}
    >
      <h3>{watch === null ? 'New watch' : `Edit ${shownText(watch.name)}`}</h3>
      <label class="field is-wide">
        <span class="field-label">Name</span>
        <input
          type="text"
          ref={nameField}
          aria-label="Watch name"
          maxLength={200}
          placeholder="failed calls over acme"
          value={order.name}
          onInput={(event) => change({ name: event.currentTarget.value })}
        />
      </label>
      <label class="field is-wide">
        <span class="field-label">Search over calls</span>
        <input
          type="text"
          class="mono"
          aria-label="Watched search"
          aria-invalid={searchProblem !== null}
          maxLength={2000}
          placeholder="every call; or state:failed trunk:acme"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={order.search}
          onInput={(event) => {
            const search = event.currentTarget.value
            const whileRunning = isChosen
              ? order.whileRunning
              : asksForRunning(search, { nowMicros: nowMicros() })
            change({ search, whileRunning })
          }}
        />
        {searchProblem !== null && <span class="field-problem">{shownText(searchProblem.message)}</span>}
      </label>
      <label class="field is-wide">
        <span class="field-label">Webhook (may be empty: then this page tells)</span>
        <input
          type="url"
          class="mono"
          aria-label="Webhook"
          maxLength={2000}
          placeholder="https://hooks.example.org/sip"
          autocomplete="off"
          spellcheck={false}
          value={order.url ?? ''}
          onInput={(event) => {
            const url = event.currentTarget.value.trim()
            change({ url: url === '' ? null : url })
          }}
        />
      </label>
      <label class="field">
        <span class="field-label">Tell</span>
        <select
          aria-label="Tell"
          value={order.repeat}
          onChange={(event) => change({ repeat: event.currentTarget.value === 'once' ? 'once' : 'every' })}
        >
          <option value="every">of every call that matches</option>
          <option value="once">of the next one, then pause</option>
        </select>
      </label>
      <Check
        label="Running calls too"
        what="A call is told as soon as it matches. Otherwise when it has ended, since until then its verdict may change."
        checked={order.whileRunning}
        onChange={(whileRunning) => {
          setIsChosen(true)
          change({ whileRunning })
        }}
      />
      <Check
        label="Keep the calls"
        what="With all their messages, beyond retention, until you let them go."
        checked={order.pin}
        onChange={(pin) => change({ pin })}
      />
      {problem !== '' && (
        <p class="field-problem is-wide" role="alert">
          {shownText(problem)}
        </p>
      )}
      <p class="actions is-wide">
        <button type="submit" class="button primary" disabled={sending}>
          {watch === null ? 'Watch' : 'Save'}
        </button>
        <button type="button" class="button" onClick={props.onClose}>
          Cancel
        </button>
      </p>
    </form>
  )
}

function newOrder(search: string): WatchOrder {
  return {
    name: search.slice(0, 200),
    search,
    url: null,
    repeat: 'every',
    whileRunning: asksForRunning(search, { nowMicros: nowMicros() }),
    pin: false,
    paused: false,
  }
}
