import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A link that goes down leaves tshark running and silent: only the kernel can tell. Elsewhere than Linux: nothing. */
export async function readLinkWarnings(interfaces: readonly string[]): Promise<string[]> {
  const warnings: string[] = []
  for (const name of interfaces) {
    if (name === 'any' || name.includes('/')) continue
    try {
      const state = (await readFile(join('/sys/class/net', name, 'operstate'), 'utf8')).trim()
      if (state === 'down' || state === 'lowerlayerdown') {
        warnings.push(`the link of interface ${name} (TSHARK_INTERFACE) is down: nothing can arrive there`)
      }
    } catch {
      // Not an interface the kernel lists here: tshark itself says so.
    }
  }
  return warnings
}
