import { setFlagsFromString } from 'node:v8'
import t from 'tap'
import { Redis } from 'ioredis'
import { restoreStringMethods } from '../src/string-methods.ts'

setFlagsFromString('--allow-natives-syntax')
// oxlint-disable-next-line typescript/no-implied-eval -- a question to V8 itself, which no import can ask
const isFast = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean

t.test('ioredis makes string methods slow, and they are made fast again', async (t) => {
  t.type(Redis, 'function')
  t.equal(isFast(String.prototype), false, 'once this fails, ioredis or V8 has changed and the remedy can go')
  restoreStringMethods()
  t.equal(isFast(String.prototype), true)
  restoreStringMethods()
  t.equal(isFast(String.prototype), true)
})
