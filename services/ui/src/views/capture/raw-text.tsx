import { sizeText } from '../../format/number.ts'
import { shownLines } from '../../format/shown-text.ts'

const maxChars = 128 * 1024

/** The message as text, every control character visible. */
export function RawText({ text }: { text: string }) {
  const lines = shownLines(text.slice(0, maxChars))
  return (
    <>
      <pre class="raw mono" tabIndex={0} aria-label="Raw message">
        {lines.map((line, index) => (
          <span key={index} class="raw-line">
            {line.text}
            {line.bareLineFeed && (
              <span class="faint" title="Ends with a bare line feed, not CR LF">
                \n
              </span>
            )}
            {'\n'}
          </span>
        ))}
      </pre>
      {text.length > maxChars && (
        <p class="notice">The first {sizeText(maxChars)} are shown; Copy takes all.</p>
      )}
    </>
  )
}
