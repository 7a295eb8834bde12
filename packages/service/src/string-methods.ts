/**
 * Makes the methods of strings cheap again, for the whole process. ioredis has a class that extends `String`; when V8 meets such a
 * class it keeps `String.prototype` as a dictionary, and then compiled code looks up `charCodeAt`, `slice` and the like anew at
 * each call: three times the time of a short one (seen with Node 20, 22 and 24). V8 undoes that when code that has run often enough reads a member by way of an object,
 * which a plain string is not. So one is read here until it has. To be called once all modules are loaded.
 */
export function restoreStringMethods(): void {
  const text: unknown = Object('')
  for (let n = 0; n < readsUntilFeedback; n++) readMember(text as string)
}

/** V8 collects feedback of a function from its ninth call or so on. */
const readsUntilFeedback = 100

function readMember(text: string): unknown {
  return text.constructor
}
