import { parseUser } from '@sip-capture/sip/uri.ts'
import type { MessageView } from '../ingest/message-row.ts'

/**
 * Columns of `messages` that say no more than that the rest of the row implies them, as it does of most messages: what is implied
 * costs no disk, and little work when rows are inserted and merged. Each has two halves here: what is written, and the expression
 * that reads it. Rows of the versions before hold all of it, and read the same.
 */
type Parts = MessageView['parts']

/** No value has a line end in it. Where no value can be `''` that says the same. */
const implied = '\n'
const orImplied = (column: string, value: string): string => `if(${column} = '\\n', ${value}, ${column})`

const visible = /^[\x21-\x7e]+$/

/** Whether `userOfUri` finds it: in ASCII and in one piece, as it is in the payload. */
function impliesUser(uri: string, user: string): boolean {
  return user === '' || (uri.startsWith('sip:') && uri[4 + user.length] === '@' && visible.test(user))
}

const userOfUri = (uri: string): string => `extract(${uri}, '^sip:([^@:]+)@')`

export const writtenUser = ({ uri, user }: Parts['from']): string => (impliesUser(uri, user) ? '' : user)

export const userSql = (side: 'from' | 'to'): string =>
  `if(${side}User = '', ${userOfUri(`${side}Uri`)}, ${side}User)`

/** Mostly that of To. */
export const writtenRequestUri = ({ requestUri, to }: Parts): string =>
  requestUri !== '' && requestUri === to.uri ? implied : requestUri

export const requestUriSql = orImplied('requestUri', 'toUri')

/** Those of From, To and Request-URI are implied, not those of P-Asserted-Identity. What is implied is in the payload, too. */
export function writtenNumbers(view: MessageView): readonly string[] {
  return impliesNumbers(view) ? [] : view.numbers
}

function impliesNumbers({ message, parts }: MessageView): boolean {
  const { requestUri, from, to } = parts
  return (
    message?.header('p-asserted-identity') === undefined &&
    impliesUser(from.uri, from.user) &&
    impliesUser(to.uri, to.user) &&
    (requestUri === to.uri || impliesUser(requestUri, parseUser(requestUri)))
  )
}

const users = ['fromUri', 'toUri', 'requestUri'].map(userOfUri)
export const numbers = `if(empty(numbers),
  arrayFilter(n -> n != '', arrayMap(user -> replaceRegexpOne(lower(user), '^[+]', ''), [${users.join(', ')}])), numbers)`

/** False only where no number has this text (the name of a parameter, in lower case) in it; told without the work of `numbers`. */
export const mayHaveNumber = (text: string): string =>
  `(notEmpty(numbers) OR ${['fromUri', 'toUri', 'requestUri']
    .map((uri) => `positionCaseInsensitive(${uri}, ${text}) > 0`)
    .join(' OR ')})`

const branchMark = ';branch='
const branchEnds = ';,\t\n\f\r '
const branchWord = new RegExp(`^[^${branchEnds}]+$`)

/** Mostly what stands behind the first `;branch=` of the payload. */
export function writtenBranch({ message, parts: { branch } }: MessageView): string {
  const isImplied = message?.isFirstBehind(branchMark, branch, branchEnds) && branchWord.test(branch)
  return isImplied ? implied : branch
}

export const branchSql = orImplied('branch', `extract(payload, '${branchMark}([^${branchEnds}]*)')`)

/** It is asked only which INVITE begins a dialog: of others, and which tag it is, nothing is kept. */
export const writtenToTag = ({ method, to }: Parts): string =>
  method === 'INVITE' && to.tag !== '' ? '+' : ''

/** From and To as `foldParty` makes them; the engine folds ASCII alone. */
export const partyFoldSql = (side: 'from' | 'to'): string =>
  `if(${side}Fold = '', lower(concat(${side}DisplayName, '\\n', ${side}Uri)), ${side}Fold)`

export const userAgentFoldSql = `if(userAgentFold = '', lower(userAgent), userAgentFold)`
