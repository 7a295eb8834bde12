import type { SipHeader, SipMessage } from '@sip-capture/sip/message.ts'
import { diffArrays, diffWordsWithSpace } from 'diff'

/** Two messages compared as SIP: header by header, within a header word by word, the body line by line. */
export interface MessageDiff {
  readonly rows: readonly DiffRow[]
  readonly changed: number
}

export interface DiffRow {
  /** `Start line`, the header's name as written, or `Body`. */
  readonly name: string
  /** `moved`: the same header, elsewhere in the order. */
  readonly kind: 'same' | 'changed' | 'added' | 'removed' | 'moved'
  readonly left: readonly DiffPart[]
  readonly right: readonly DiffPart[]
}

export interface DiffPart {
  readonly text: string
  readonly isChanged: boolean
}

/** Longer texts, which no honest message has, are compared whole. */
const longestWords = 4000
const mostLines = 500

export function diffMessages(left: SipMessage, right: SipMessage): MessageDiff {
  const rows = [
    compareRow('Start line', left.startLine, right.startLine),
    ...diffHeaders(left.headers, right.headers),
    ...diffBodies(left.body, right.body),
  ]
  return { rows, changed: rows.filter(({ kind }) => kind !== 'same').length }
}

function whole(text: string, isChanged: boolean): DiffPart[] {
  return text === '' ? [] : [{ text, isChanged }]
}

function compareRow(name: string, left: string, right: string): DiffRow {
  if (left === right) return { name, kind: 'same', left: whole(left, false), right: whole(right, false) }
  if (left.length + right.length > longestWords)
    return { name, kind: 'changed', left: whole(left, true), right: whole(right, true) }
  const parts = diffWordsWithSpace(left, right)
  const side = (is: 'added' | 'removed'): DiffPart[] =>
    parts
      .filter((part) => part[is] || !(part.added || part.removed))
      .map((part) => ({ text: part.value, isChanged: part[is] }))
  return { name, kind: 'changed', left: side('removed'), right: side('added') }
}

interface Placed {
  readonly header: SipHeader
  /** Name and which one of that name it is. */
  readonly key: string
}

/** Headers of one name are paired by their value where that is equal, else in their order. */
function diffHeaders(left: readonly SipHeader[], right: readonly SipHeader[]): DiffRow[] {
  const [a, b] = pairUp(left, right)
  const rightByKey = new Map(b.map((one) => [one.key, one.header]))
  const rows: DiffRow[] = []
  const used = new Set<string>()
  const inOrder = new Set<string>()
  const [leftKeys, rightKeys] = [a.map(({ key }) => key), b.map(({ key }) => key)]
  const order = diffArrays(leftKeys, rightKeys, { maxEditLength: mostLines })
  for (const part of order ?? [])
    if (!part.added && !part.removed) for (const key of part.value) inOrder.add(key)
  const leftByKey = new Map(a.map((one) => [one.key, one.header]))
  const add = (key: string) => {
    if (used.has(key)) return
    used.add(key)
    const [old, now] = [leftByKey.get(key), rightByKey.get(key)]
    if (old === undefined && now !== undefined)
      rows.push({ name: now.name, kind: 'added', left: [], right: whole(now.value, true) })
    else if (now === undefined && old !== undefined)
      rows.push({ name: old.name, kind: 'removed', left: whole(old.value, true), right: [] })
    else if (old !== undefined && now !== undefined) {
      const row = compareRow(old.name, old.value, now.value)
      rows.push(row.kind === 'same' && !inOrder.has(key) ? { ...row, kind: 'moved' } : row)
    }
  }
  // In the order of both as far as they agree; what is on one side only stands where it stood.
  for (const part of order ?? [{ value: [...leftKeys, ...rightKeys] }]) for (const key of part.value) add(key)
  return rows
}

function pairUp(left: readonly SipHeader[], right: readonly SipHeader[]): [Placed[], Placed[]] {
  const names = new Set([...left, ...right].map(({ canonical }) => canonical))
  const keys = new Map<SipHeader, string>()
  for (const name of names) {
    const a = left.filter(({ canonical }) => canonical === name)
    const b = right.filter(({ canonical }) => canonical === name)
    const [freeA, freeB] = [[...a], [...b]]
    let count = 0
    const pair = (one: SipHeader | undefined, other: SipHeader | undefined) => {
      const key = `${name}\0${count++}`
      if (one !== undefined) keys.set(one, key)
      if (other !== undefined) keys.set(other, key)
    }
    for (const one of a) {
      const at = freeB.findIndex(({ value }) => value === one.value)
      if (at < 0) continue
      pair(one, freeB[at])
      freeB.splice(at, 1)
      freeA.splice(freeA.indexOf(one), 1)
    }
    while (freeA.length > 0 || freeB.length > 0) pair(freeA.shift(), freeB.shift())
  }
  const place = (list: readonly SipHeader[]) =>
    list.map((header) => ({ header, key: keys.get(header) ?? '' }))
  return [place(left), place(right)]
}

function diffBodies(left: Uint8Array, right: Uint8Array): DiffRow[] {
  const [a, b] = [left, right].map(linesOf)
  if (a === undefined || b === undefined || (a.length === 0 && b.length === 0)) return []
  const parts = diffArrays(a, b, { maxEditLength: mostLines })
  if (parts === undefined) return [compareRow('Body', a.join('\n'), b.join('\n'))]
  const rows: DiffRow[] = []
  for (const [index, part] of parts.entries()) {
    const next = parts[index + 1]
    if (part.removed) {
      // Lines that were replaced stand beside what replaced them, as long as they are of the same kind.
      const added = next?.added === true ? next.value : []
      for (const [at, line] of part.value.entries()) {
        const other = added[at]
        if (other !== undefined && line.slice(0, 2) === other.slice(0, 2))
          rows.push(compareRow('Body', line, other))
        else {
          rows.push({ name: 'Body', kind: 'removed', left: whole(line, true), right: [] })
          if (other !== undefined)
            rows.push({ name: 'Body', kind: 'added', left: [], right: whole(other, true) })
        }
      }
      for (const line of added.slice(part.value.length))
        rows.push({ name: 'Body', kind: 'added', left: [], right: whole(line, true) })
    } else if (part.added) {
      if (parts[index - 1]?.removed === true) continue
      for (const line of part.value)
        rows.push({ name: 'Body', kind: 'added', left: [], right: whole(line, true) })
    } else for (const line of part.value) rows.push(compareRow('Body', line, line))
  }
  return rows
}

function linesOf(body: Uint8Array): string[] {
  const lines = new TextDecoder().decode(body).split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}
