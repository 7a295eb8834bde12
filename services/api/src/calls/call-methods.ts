/** Requests and responses that can change what is said of a call. */
export const callMethods = ['INVITE', 'ACK', 'BYE', 'CANCEL', 'PRACK', 'UPDATE', 'REFER', 'INFO'] as const

const names: ReadonlySet<string> = new Set(callMethods)

export const isCallMethod = (method: string): boolean => names.has(method)
