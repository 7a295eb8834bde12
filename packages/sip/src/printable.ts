/** Control, format and bidirectional characters, lone surrogates and line separators: all that could forge a line,
 *  reorder text or drive a terminal. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Most text; testing for it is much cheaper than looking up what each character is. */
const plain = /^[ -~]*$/

/** Foreign text made safe to put into a sentence: unprintable characters shown as `\x1b` or `\u{202e}`, length bounded
 *  in characters. It is still text, never markup. */
export function toPrintable(text: string, maxLength = 80): string {
  if (text.length <= maxLength && plain.test(text)) return text
  const cut = text.length > maxLength ? `${text.slice(0, maxLength)}…` : text
  return cut.replaceAll(unprintable, (character) => {
    const code = character.codePointAt(0) ?? 0
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}
