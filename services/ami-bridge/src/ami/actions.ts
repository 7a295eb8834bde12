import { randomBytes } from 'node:crypto'

/** Header name and value. Names are ours; values may come from anywhere. */
export type AmiFields = readonly (readonly [name: string, value: string])[]

export type EncodedAction = { ok: true; bytes: Buffer } | { ok: false; problem: string }

/** Unguessable: an answer that a caller forged inside an event cannot carry it. */
export function createActionId(): string {
  return randomBytes(12).toString('hex')
}

/** Any control character is refused: a CR LF inside a value runs a second action. */
const controlCharacter = /\p{Cc}/u
/** What Asterisk itself takes in one header line. */
const maxLineBytes = 1024

export function encodeAction(action: string, actionId: string, fields: AmiFields = []): EncodedAction {
  const lines: string[] = []
  for (const [name, value] of [['Action', action], ['ActionID', actionId], ...fields] as const) {
    const line = `${name}: ${value}`
    if (controlCharacter.test(line)) return { ok: false, problem: `${name} holds a control character` }
    if (Buffer.byteLength(line) > maxLineBytes)
      return { ok: false, problem: `${name} is longer than ${maxLineBytes} bytes` }
    lines.push(line)
  }
  return { ok: true, bytes: Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'utf8') }
}
