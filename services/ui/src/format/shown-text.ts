/**
 * Text from the network as a person may safely read it. SIP fields can hold any byte: control characters, direction
 * overrides that make `gpj.exe` read `exe.jpg`, characters of no width. All of them are shown as escapes, none acts.
 */

/** C0, DEL, C1, bidirectional controls, zero-width and invisible characters, separators, lone surrogates, tags. */
const hidden =
  // eslint-disable-next-line no-control-regex -- control characters are exactly what is looked for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]|\udb40[\udc00-\udfff]/g

const named: Readonly<Record<string, string>> = { '\t': '\\t', '\n': '\\n', '\r': '\\r', '\0': '\\0' }

function escape(match: string): string {
  const name = named[match]
  if (name !== undefined) return name
  const code = match.codePointAt(0) ?? 0
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
}

/** One line: every control and invisible character becomes a visible escape such as `\n` or `\u{202e}`. */
export function shownText(text: string): string {
  return text.replace(hidden, escape)
}

export interface ShownLine {
  readonly text: string
  /** Ended by a bare line feed, which SIP does not allow (RFC 3261 7). */
  readonly bareLineFeed: boolean
}

/** A whole message as lines. CRLF ends a line silently; a bare LF ends it too and is marked; all else is escaped. */
export function shownLines(text: string): ShownLine[] {
  return text.split('\n').map((line, index, all) => {
    const crlf = line.endsWith('\r')
    return {
      text: shownText(crlf ? line.slice(0, -1) : line),
      bareLineFeed: !crlf && index < all.length - 1,
    }
  })
}

/** For `document.title`: control and invisible characters are removed, length bounded. */
export function plainTitle(text: string): string {
  return text.replace(hidden, '').slice(0, 120)
}
