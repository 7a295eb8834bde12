export interface PortRange {
  readonly from: number
  readonly to: number
}

const maxRanges = 64

/** `5060,5080,6000-6010` → ranges, or a sentence that says what is wrong. */
export function parsePorts(text: string): readonly PortRange[] | string {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.length > maxRanges) return `more than ${maxRanges} ports and ranges`
  const ranges: PortRange[] = []
  for (const part of parts) {
    const match = /^(\d{1,5})(?:\s*-\s*(\d{1,5}))?$/.exec(part)
    const from = Number(match?.[1])
    const to = Number(match?.[2] ?? match?.[1])
    if (!match || from < 1 || to > 65_535 || from > to) {
      return `${JSON.stringify(part)} is not a port (1..65535) or a range such as 5060-5080`
    }
    ranges.push({ from, to })
  }
  return ranges
}

/** Whether a port is in one of the ranges. */
export function createPortTest(ranges: readonly PortRange[]): (port: number) => boolean {
  const known = new Uint8Array(65_536)
  for (const { from, to } of ranges) known.fill(1, from, to + 1)
  return (port) => known[port] === 1
}
