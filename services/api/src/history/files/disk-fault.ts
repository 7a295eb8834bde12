export const tooManyExportBytes =
  'the exports would take more than EXPORT_MAX_BYTES allows; delete some, ask for less, or raise it'

/** What the disk says of a file below `setting` → a sentence for the operator; undefined for what is no fault of the disk. */
export function describeDiskFault(error: unknown, setting: 'EXPORT_DIR' | 'DATA_DIR'): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  switch (code) {
    case 'ENOSPC':
      return `the disk of ${setting} is full: free some space, or set ${setting} to a larger disk`
    case 'EDQUOT':
      return `the disk quota of ${setting} is used up: raise it, or set ${setting} to another disk`
    case 'EFBIG':
      return `the file is larger than the system allows for files in ${setting} (ulimit -f, or its file system)`
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return `the folder of ${setting} cannot be written: check its owner and rights`
    case 'ENOENT':
    case 'ENOTDIR':
    case 'EEXIST':
      return `the folder of ${setting} is gone, or something else is in its place`
    case 'EIO':
      return `the disk of ${setting} reports an error`
    default:
      return undefined
  }
}
