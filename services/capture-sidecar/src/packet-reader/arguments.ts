import type { CaptureInterface } from '../capture-program.ts'

/** Three for each interface: its name, its link type or '', its filter. None of them is an option. */
export function toArguments(interfaces: readonly CaptureInterface[]): string[] {
  return interfaces.flatMap(({ name, linkType = '', filter }) => [name, linkType, filter])
}

export function readArguments(words: readonly string[]): CaptureInterface[] {
  const interfaces: CaptureInterface[] = []
  for (let at = 0; at + 2 < words.length; at += 3) {
    const [name = '', linkType = '', filter = ''] = words.slice(at, at + 3)
    interfaces.push(linkType === '' ? { name, filter } : { name, filter, linkType })
  }
  return interfaces
}
