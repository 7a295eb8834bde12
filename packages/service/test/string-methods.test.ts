import { setFlagsFromString } from 'node:v8'
import t from 'tap'
import { Redis } from 'ioredis'
import { restoreStringMethods } from '../src/string-methods.ts'

setFlagsFromString('--allow-natives-syntax')
// oxlint-disable-next-line typescript/no-implied-eval -- a question to V8 itself, which no import can ask
const isFast = new Function('object', 'return %HasFastProperties(object)') as (object: object) => boolean

t.test('string methods are fast beside ioredis, however it left them', async (t) => {
  t.type(Redis, 'function')
  // A Node whose V8 bears such a class, or an ioredis without it: then there is nothing to restore.
  t.comment(isFast(String.prototype) ? 'ioredis leaves them fast here' : 'ioredis left them slow')
  restoreStringMethods()
  t.equal(isFast(String.prototype), true)
  restoreStringMethods()
  t.equal(isFast(String.prototype), true)
})
