import type { ObservedMessage } from '@sip-capture/sip/observed-message.ts'
import { useMemo, useState } from 'preact/hooks'
import { MessageName } from '../../components/message-name.tsx'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, offsetText } from '../../format/time.ts'
import { type DiffPart, type DiffRow, diffMessages } from './message-diff.ts'

const signs: Readonly<Record<DiffRow['kind'], { sign: string; word: string }>> = {
  same: { sign: '', word: 'equal' },
  changed: { sign: '≠', word: 'changed' },
  added: { sign: '+', word: 'only on the right' },
  removed: { sign: '−', word: 'only on the left' },
  moved: { sign: '⇅', word: 'elsewhere in the order' },
}

/** Two messages side by side; what differs is marked by sign and colour, word by word. */
export function DiffView(props: { left: ObservedMessage; right: ObservedMessage; onClose: () => void }) {
  const { left, right, onClose } = props
  const [isAll, setIsAll] = useState(true)
  const { rows, changed } = useMemo(() => diffMessages(left.message, right.message), [left, right])
  const shown = isAll ? rows : rows.filter(({ kind }) => kind !== 'same')
  return (
    <section class="compare-view" aria-label="Two messages compared" data-testid="diff">
      <p class="compare-tools">
        <b>{changed === 0 ? 'No difference' : `${changed} of ${rows.length} lines differ`}</b>
        <span class="faint num">{offsetText(right.atMicros - left.atMicros)} apart</span>
        <button type="button" class="toggle" aria-pressed={!isAll} onClick={() => setIsAll(!isAll)}>
          Differences only
        </button>
        <button type="button" class="button" onClick={onClose}>
          Close comparison
        </button>
      </p>
      <div class="compare-scroll">
        <table class="compare">
          <thead>
            <tr>
              <th>Header</th>
              {[left, right].map((one) => (
                <th key={one.id}>
                  <MessageName row={one.message} /> <span class="num faint">{fullTime(one.atMicros)}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((row, index) => (
              <tr key={index} class={row.kind === 'same' ? '' : `differs differs-${row.kind}`}>
                <th scope="row">
                  {row.name === 'Body' ? <span class="faint">body</span> : shownText(row.name)}
                  {row.kind !== 'same' && (
                    <span class="differs-sign" title={signs[row.kind].word}>
                      {' '}
                      <span aria-hidden="true">{signs[row.kind].sign}</span>
                      <span class="visually-hidden">{signs[row.kind].word}</span>
                    </span>
                  )}
                </th>
                <td class="mono">
                  <Parts parts={row.left} element="del" />
                </td>
                <td class="mono">
                  <Parts parts={row.right} element="ins" />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  )
}

function Parts({ parts, element: Element }: { parts: readonly DiffPart[]; element: 'ins' | 'del' }) {
  return (
    <>
      {parts.map(({ text, isChanged }, index) =>
        isChanged ? <Element key={index}>{shownText(text)}</Element> : shownText(text),
      )}
    </>
  )
}
