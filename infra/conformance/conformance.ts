import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { accountFor, isCutOf, type Account, type Leftovers } from './account.ts'
import { Difference } from './difference.ts'
import { readOwnMessages, type OwnMessage } from './own-messages.ts'
import { readGivenUp, readTsharkMessages } from './tshark-messages.ts'

export interface FileResult extends Account {
  readonly file: string
  readonly tshark: number
  readonly ours: number
  /** Messages that both have with the same bytes. */
  readonly same: number
  /** The same payloads, each as often. */
  readonly isEqual: boolean
  /** What either reader said about the form of the file. */
  readonly problems: readonly string[]
}

interface Comparison {
  readonly difference: Difference
  readonly tsharkProblem: string | null
  readonly ownProblem: string | null
  readonly ownFrames: number
}

const maxToldPorts = 64
const firstEphemeralPort = 32_768
const nothing: Account = { reasons: new Map(), unexplained: [] }

/** Every pcap and pcapng below a folder, in the order of their names. */
export async function findCaptures(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && /\.(?:pcap\d*|pcapng|cap|ntar|dmp)(?:\.gz)?$/i.test(entry.name))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

/** Reads one file with tshark and with ours, and explains what differs. Memory does not grow with the file. */
export async function compareFile(folder: string, file: string): Promise<FileResult> {
  const path = join(folder, file)
  const comparison = await compare(path)
  const { difference, tsharkProblem, ownProblem } = comparison
  const { tshark, ours, same } = difference
  const isEqual = tshark === same && ours === same
  const account = isEqual ? nothing : accountFor(await explain(path, comparison))
  const unexplained = [...account.unexplained]
  if (difference.notKept > 0) unexplained.push(`${difference.notKept} differences more than are looked at`)
  const problems = [
    ...(tsharkProblem === null ? [] : [tsharkProblem]),
    ...(ownProblem === null ? [] : [`ours: ${ownProblem}`]),
  ]
  return { file, tshark, ours, same, isEqual, problems, reasons: account.reasons, unexplained }
}

/** Both sides go through the file together. */
async function compare(path: string): Promise<Comparison> {
  const difference = new Difference()
  const own = readOwnMessages(path, { dropCopies: true })
  let ownFrames = 0
  let ownProblem: string | null = null
  const advance = async (): Promise<boolean> => {
    const step = await own.next()
    if (step.done === true) return false
    ownFrames = step.value.frames
    ownProblem = step.value.problem
    for (const message of step.value.messages) if (message.isSip) difference.addOwn(message)
    return true
  }
  const theirs = readTsharkMessages(path)
  let isOwnDone = false
  for (;;) {
    const step = await theirs.next()
    const until = step.done === true ? Number.POSITIVE_INFINITY : step.value.frameNumber
    while (!isOwnDone && ownFrames < until) isOwnDone = !(await advance())
    if (step.done === true) return { difference, tsharkProblem: step.value, ownProblem, ownFrames }
    difference.addTshark(step.value)
  }
}

/** Reads the file again for what is known of the messages that differ. */
async function explain(path: string, { difference, ownProblem, ownFrames }: Comparison): Promise<Leftovers> {
  const { onlyOwn, onlyTshark } = difference
  const wanted = new Set([...onlyOwn, ...onlyTshark].map(({ payload }) => payload))
  const own = new Map<string, number>()
  const ownWithCopies = new Map<string, number>()
  const notSip: string[] = []
  const insideTold = new Set<string>()
  let givenUp: ReadonlySet<string> = new Set()
  const count = (counts: Map<string, number>, payload: string): void => {
    if (wanted.has(payload)) counts.set(payload, (counts.get(payload) ?? 0) + 1)
  }
  for await (const { messages } of readOwnMessages(path, { dropCopies: true })) {
    for (const { payload, isSip } of messages) {
      if (isSip) count(own, payload)
      else if (onlyTshark.some((message) => isCutOf(message.payload, payload))) notSip.push(payload)
    }
  }
  for await (const { messages } of readOwnMessages(path, { dropCopies: false })) {
    for (const { payload, isSip } of messages) if (isSip) count(ownWithCopies, payload)
  }
  // How often tshark has a payload, untold: as often as ours, but for what is left over.
  const toldExtra = new Map([...own].map(([payload, times]) => [payload, -times]))
  for (const { payload } of onlyOwn) toldExtra.set(payload, (toldExtra.get(payload) ?? 0) + 1)
  for (const { payload } of onlyTshark) toldExtra.set(payload, (toldExtra.get(payload) ?? 0) - 1)
  if (onlyOwn.length > 0) {
    const told = toldOptions(onlyOwn)
    // In order, it waits for ever for a lost segment; as they come, it stumbles over one that overtakes another.
    const readings = [new Map<string, number>(), new Map<string, number>()] as const
    for (const [at, options] of [told, [...inOrder, ...told]].entries()) {
      for await (const { payload } of readTsharkMessages(path, options)) {
        count(readings[at] ?? toldExtra, payload)
        if (wanted.has(payload)) continue
        for (const own of onlyOwn) if (payload.includes(own.payload)) insideTold.add(own.payload)
      }
    }
    for (const payload of wanted) {
      const most = Math.max(...readings.map((reading) => reading.get(payload) ?? 0))
      toldExtra.set(payload, (toldExtra.get(payload) ?? 0) + most)
    }
    givenUp = await readGivenUp(path, [...inOrder, ...told])
  }
  const copies = new Map(
    [...ownWithCopies].map(([payload, times]) => [payload, times - (own.get(payload) ?? 0)]),
  )
  return {
    onlyOwn,
    onlyTshark,
    toldExtra,
    insideTold,
    copies,
    notSip,
    ownHas: new Set(own.keys()),
    givenUp,
    unreadable: ownFrames === 0 ? ownProblem : null,
  }
}

const inOrder = ['-o', 'tcp.reassemble_out_of_order:TRUE']

function toldOptions(messages: readonly OwnMessage[]): string[] {
  const told = new Set<string>()
  for (const { transport, ports } of messages) {
    if (!/^(?:UDP|TCP|SCTP)$/.test(transport) || told.size >= maxToldPorts) continue
    const [low, high] = ports.toSorted((one, other) => one - other)
    // The lower port is the server's; the higher one is there once a connection, unless it is another service's.
    told.add(`${transport.toLowerCase()}.port==${low},sip`)
    if (high !== undefined && high < firstEphemeralPort)
      told.add(`${transport.toLowerCase()}.port==${high},sip`)
  }
  const options = ['-o', 'sip.strict_sip_version:FALSE']
  for (const rule of told) options.push('-d', rule)
  return options
}
