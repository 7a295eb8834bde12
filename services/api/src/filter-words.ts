/** How the words of a filter compare. Live matching and history's SQL both stand on this file, so that they agree. */

/** Lower case, for "part of, case-insensitive". */
export const fold = (text: string): string => text.toLowerCase()

/** A From or To as it is searched: display name and URI, a line each so that no match spans both. */
export const foldParty = (party: { displayName: string; uri: string }): string =>
  fold(`${party.displayName}\n${party.uri}`)

/** A number as it is searched: digits match with or without a leading +. */
export const foldNumber = (number: string): string => fold(number.startsWith('+') ? number.slice(1) : number)

/**
 * ASCII letters alone: the message text is searched by the engine, which folds byte by byte.
 * Other letters must be as written.
 */
export const foldText = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
