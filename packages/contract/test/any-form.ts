import type { Chance } from './chance.ts'

/** MessagePack of a value in one of the forms that a writer may choose for it: any reader must take all of them. */
export function packInAnyForm(value: unknown, chance: Chance): Buffer {
  if (value === null || value === undefined) return Buffer.from([0xc0])
  if (typeof value === 'number') return packNumber(value, chance)
  if (typeof value === 'string') {
    const bytes = Buffer.from(value)
    return Buffer.concat([
      head(bytes.length, { fixed: [0xa0, 32], by8: 0xd9, by16: 0xda, by32: 0xdb }, chance),
      bytes,
    ])
  }
  if (value instanceof Uint8Array)
    return Buffer.concat([head(value.length, { by8: 0xc4, by16: 0xc5, by32: 0xc6 }, chance), value])
  const items = Array.isArray(value) ? value : Object.entries(value).flat()
  const forms = Array.isArray(value)
    ? head(items.length, { fixed: [0x90, 16], by16: 0xdc, by32: 0xdd }, chance)
    : head(items.length / 2, { fixed: [0x80, 16], by16: 0xde, by32: 0xdf }, chance)
  return Buffer.concat([forms, ...items.map((item) => packInAnyForm(item, chance))])
}

function packNumber(value: number, chance: Chance): Buffer {
  const forms: (() => Buffer)[] = [() => filled(9, 0xcb, (bytes) => bytes.writeDoubleBE(value, 1))]
  if (Math.fround(value) === value) forms.push(() => filled(5, 0xca, (bytes) => bytes.writeFloatBE(value, 1)))
  if (Number.isInteger(value) && value >= 0) {
    if (value < 0x80) forms.push(() => Buffer.from([value]))
    if (value < 0x100) forms.push(() => Buffer.from([0xcc, value]))
    if (value < 2 ** 16) forms.push(() => filled(3, 0xcd, (bytes) => bytes.writeUInt16BE(value, 1)))
    if (value < 2 ** 32) forms.push(() => filled(5, 0xce, (bytes) => bytes.writeUInt32BE(value, 1)))
    if (value < 2 ** 53) {
      forms.push(() => filled(9, 0xcf, (bytes) => bytes.writeBigUInt64BE(BigInt(value), 1)))
      forms.push(() => filled(9, 0xd3, (bytes) => bytes.writeBigInt64BE(BigInt(value), 1)))
    }
  }
  return chance.of(forms)()
}

function head(
  length: number,
  { fixed, by8, by16, by32 }: { fixed?: readonly [number, number]; by8?: number; by16: number; by32: number },
  chance: Chance,
): Buffer {
  const forms: (() => Buffer)[] = [() => filled(5, by32, (bytes) => bytes.writeUInt32BE(length, 1))]
  if (length < 2 ** 16) forms.push(() => filled(3, by16, (bytes) => bytes.writeUInt16BE(length, 1)))
  if (by8 !== undefined && length < 0x100) forms.push(() => Buffer.from([by8, length]))
  if (fixed !== undefined && length < fixed[1]) forms.push(() => Buffer.from([fixed[0] | length]))
  return chance.of(forms)()
}

function filled(size: number, head: number, fill: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(size)
  bytes[0] = head
  fill(bytes)
  return bytes
}
