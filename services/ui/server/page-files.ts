import { readdir, readFile } from 'node:fs/promises'
import { extname, join, relative, sep } from 'node:path'
import { gzipSync } from 'node:zlib'
import { ConfigError } from '@sip-capture/service/config.ts'

export interface PageFile {
  readonly type: string
  readonly plain: Buffer
  readonly gzip: Buffer | null
  /** The name has a hash of the content: it may be kept for ever. */
  readonly immutable: boolean
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/**
 * The built page by URL path, whole in memory (some hundred kB): a request only looks up a map, so no path of a request
 * ever meets the file system.
 * @throws ConfigError when there is no built page
 */
export async function readPageFiles(folder: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>()
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const urlPath = `/${relative(folder, path).split(sep).join('/')}`
    const type = types[extname(entry.name)]
    if (type === undefined) continue
    const plain = await readFile(path)
    files.set(urlPath, {
      type,
      plain,
      gzip: plain.length > 1000 ? gzipSync(plain) : null,
      immutable: urlPath.startsWith('/assets/'),
    })
  }
  if (!files.has('/index.html'))
    throw new ConfigError(
      `the page is not built (${folder} has no index.html): run "pnpm build" in services/ui`,
    )
  return files
}
