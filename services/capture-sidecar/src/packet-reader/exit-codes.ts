/** What the reader's exit code says besides "it failed"; by sysexits.h. */
export const exitCodes = {
  /** libpcap, or the module that calls it, is not there. */
  noLibrary: 69,
  noPermission: 77,
} as const
