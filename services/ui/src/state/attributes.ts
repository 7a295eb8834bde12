import type { MessageRow } from '@sip-capture/contract/rest/message.ts'
import { addressText, partyText } from '../format/address.ts'
import { nameText } from '../format/name.ts'
import { shownText } from '../format/shown-text.ts'
import { toMicros } from '../format/time.ts'
import type { FilterWord } from './capture-filter.ts'

/** One attribute of a message: its column, its filter field and its order all come from here. */
export interface Attribute {
  readonly id: string
  readonly label: string
  readonly column: boolean
  /** Text of the cell; the time and the source draw themselves. */
  text(row: MessageRow): string
  /** By what the column sorts; absent: it does not. */
  readonly order?: (row: MessageRow) => string | number
  readonly filter?: {
    readonly word: FilterWord
    readonly label: string
    readonly placeholder: string
    /** In the bar itself; the others are in the panel behind "More". */
    readonly primary: boolean
    readonly choices?: readonly { readonly value: string; readonly label: string }[]
  }
}

const methods = [
  'INVITE',
  'ACK',
  'BYE',
  'CANCEL',
  'REGISTER',
  'OPTIONS',
  'PRACK',
  'UPDATE',
  'INFO',
  'REFER',
  'SUBSCRIBE',
  'NOTIFY',
  'PUBLISH',
  'MESSAGE',
]

export function messageText(row: Pick<MessageRow, 'kind' | 'status' | 'method' | 'reason'>): string {
  if (row.kind === 'unparsed') return 'not SIP'
  if (row.status === null) return shownText(row.method)
  return shownText(row.reason === '' ? String(row.status) : `${row.status} ${row.reason}`)
}

export const attributes: readonly Attribute[] = [
  {
    id: 'time',
    label: 'Time',
    column: true,
    text: (row) => row.at,
    order: (row) => toMicros(row.at),
  },
  {
    id: 'source',
    label: 'Seen by',
    column: true,
    text: (row) => row.source,
    order: (row) => row.source,
    filter: {
      word: 'source',
      label: 'Seen by',
      placeholder: 'any source',
      primary: false,
      choices: [
        { value: 'wire', label: 'Wire (network card)' },
        { value: 'ami-hep', label: 'Asterisk, HEP' },
        { value: 'ami-event', label: 'Asterisk, AMI event' },
        { value: 'ami-history', label: 'Asterisk, pjsip history' },
        { value: 'import', label: 'Imported file' },
      ],
    },
  },
  {
    id: 'message',
    label: 'Message',
    column: true,
    text: messageText,
    order: (row) => `${row.status ?? 0} ${row.method}`,
    filter: {
      word: 'method',
      label: 'Method',
      placeholder: 'any method',
      primary: true,
      choices: methods.map((value) => ({ value, label: value })),
    },
  },
  {
    id: 'status',
    label: 'Status',
    column: false,
    text: (row) => String(row.status ?? ''),
    filter: { word: 'status', label: 'Status', placeholder: '486 or 4xx', primary: true },
  },
  {
    id: 'from',
    label: 'From',
    column: true,
    text: (row) => nameText(row.from),
    order: (row) => nameText(row.from),
    filter: { word: 'from', label: 'From', placeholder: 'part of the From URI or name', primary: false },
  },
  {
    id: 'to',
    label: 'To',
    column: true,
    text: (row) => nameText(row.to),
    order: (row) => nameText(row.to),
    filter: { word: 'to', label: 'To', placeholder: 'part of the To URI or name', primary: false },
  },
  {
    id: 'number',
    label: 'Number',
    column: false,
    text: (row) => row.to.user,
    filter: { word: 'number', label: 'Number', placeholder: 'any party, part of it', primary: false },
  },
  {
    id: 'src',
    label: 'Source address',
    column: true,
    text: (row) => partyText(row.src),
    order: (row) => partyText(row.src),
    filter: { word: 'address', label: 'Address', placeholder: '192.0.2.7 or 192.0.2.7:5060', primary: false },
  },
  {
    id: 'dst',
    label: 'Destination',
    column: true,
    text: (row) => partyText(row.dst),
    order: (row) => addressText(row.dst),
  },
  {
    id: 'trunk',
    label: 'Trunk',
    column: true,
    text: (row) => shownText(row.trunk ?? ''),
    order: (row) => row.trunk ?? '',
    filter: { word: 'trunk', label: 'Trunk or endpoint', placeholder: 'exact name', primary: true },
  },
  {
    id: 'callId',
    label: 'Call-ID',
    column: true,
    text: (row) => shownText(row.callId),
    order: (row) => row.callId,
    filter: { word: 'callId', label: 'Call-ID', placeholder: 'exact Call-ID', primary: true },
  },
  {
    id: 'userAgent',
    label: 'User agent',
    column: false,
    text: (row) => shownText(row.userAgent),
    filter: {
      word: 'userAgent',
      label: 'User agent',
      placeholder: 'part of User-Agent or Server',
      primary: false,
    },
  },
]

export const columns = attributes.filter((attribute) => attribute.column)

export const wordLabels: Readonly<Record<FilterWord, string>> = {
  text: 'Text',
  ...(Object.fromEntries(
    attributes.flatMap(({ filter }) => (filter === undefined ? [] : [[filter.word, filter.label]])),
  ) as Record<Exclude<FilterWord, 'text'>, string>),
}
