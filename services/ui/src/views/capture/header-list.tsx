import type { SipHeader } from '@sip-capture/sip/message.ts'
import { plural } from '../../format/number.ts'
import { shownLines, shownText } from '../../format/shown-text.ts'

const maxShown = 300

/** Headers one by one in the order sent; each opens to its line as received. */
export function HeaderList({ headers }: { headers: readonly SipHeader[] }) {
  return (
    <div class="headers">
      {headers.slice(0, maxShown).map((header, index) => (
        <details key={index} class="header" data-header={header.canonical}>
          <summary>
            <span class="header-name">{shownText(header.name || '(no name)')}</span>
            <span class="header-value mono">{shownText(header.value.slice(0, 4000))}</span>
          </summary>
          <div class="header-raw mono">
            {shownLines(header.raw.slice(0, 20_000)).map((line, number) => (
              <div key={number}>{line.text}</div>
            ))}
            {header.name !== '' && header.name.toLowerCase() !== header.canonical && (
              <p class="faint">Short form of {shownText(header.canonical)}</p>
            )}
          </div>
        </details>
      ))}
      {headers.length > maxShown && (
        <p class="notice">{plural(headers.length - maxShown, 'more header')}: see Raw.</p>
      )}
    </div>
  )
}
