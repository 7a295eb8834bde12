import t from 'tap'
import { BinaryWriter } from '../../src/history/binary-writer.ts'

/** LEB128. */
function lengthOf(size: number): number[] {
  return size < 0x80 ? [size] : [(size % 0x80) | 0x80, ...lengthOf(Math.floor(size / 0x80))]
}

const sized = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from(lengthOf(bytes.length)), bytes])

function written(write: (writer: BinaryWriter) => void): Buffer {
  const writer = new BinaryWriter(8)
  writer.uint8(7)
  write(writer)
  writer.uint8(9)
  const all = Buffer.from(writer.written())
  t.equal(all[0], 7)
  t.equal(all.at(-1), 9)
  return all.subarray(1, -1)
}

const sizes = [0, 1, 23, 24, 42, 43, 127, 128, 129, 16_383, 16_384, 300_000]

t.test('texts', async (t) => {
  for (const size of sizes)
    for (const character of ['x', 'Z', 'ü', '€', '😀']) {
      const text = character.repeat(size)
      const isAscii = size === 0 || character <= 'x'
      t.same(
        written((writer) => t.equal(writer.text(text), isAscii)),
        sized(Buffer.from(text)),
      )
      t.same(
        written((writer) => {
          writer.text(text)
          t.equal(writer.textAt(1), text)
        }),
        sized(Buffer.from(text)),
      )
    }
})

t.test('a value whose length is known behind it', async (t) => {
  for (const size of sizes) {
    const bytes = Buffer.from(Array.from({ length: size }, (_, n) => n % 251))
    t.same(
      written((writer) => {
        const begin = writer.begin()
        writer.piece(bytes, 0, Math.min(5, size))
        writer.piece(bytes, Math.min(5, size), size)
        writer.end(begin)
      }),
      sized(bytes),
    )
  }
})

t.test('numbers', async (t) => {
  const all = Buffer.alloc(8)
  for (const value of [
    0,
    1,
    255,
    2 ** 31,
    2 ** 32 - 1,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -1,
    -(2 ** 32),
    Number.MIN_SAFE_INTEGER,
  ]) {
    all.writeBigInt64LE(BigInt(value))
    t.same(
      written((writer) => writer.integer64(value)),
      all,
      `${value}`,
    )
  }
  t.same(
    written((writer) => writer.uint16(0xabcd)),
    Buffer.from([0xcd, 0xab]),
  )
  for (const value of [0, 127, 128, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER])
    t.same([...written((writer) => writer.length(value))], lengthOf(value))
})
