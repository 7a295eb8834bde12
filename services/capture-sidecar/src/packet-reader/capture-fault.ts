import { exitCodes } from './exit-codes.ts'

/** Why the reader ends; `message` is one line with libpcap's own words. */
export class CaptureFault extends Error {
  override readonly name = 'CaptureFault'
  readonly exitCode: number

  constructor(message: string, exitCode = 1) {
    super(message.replace(/\s+/g, ' ').trim())
    this.exitCode = exitCode
  }

  static from(error: unknown): CaptureFault {
    return error instanceof CaptureFault ? error : new CaptureFault(String(error))
  }
}

export const noPermission = (message: string): CaptureFault =>
  new CaptureFault(`${message} (it needs CAP_NET_RAW)`, exitCodes.noPermission)
