import { execFile } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { BlockList } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { z } from 'zod'
import { runSipp } from '@sip-capture/infra/test-pbx/sipp.ts'
import { buildUdpFrame } from '@sip-capture/pcap/build.ts'
import { linkTypes } from '@sip-capture/pcap/link-types.ts'
import { createPcapngWriter } from '@sip-capture/pcap/pcapng-writer.ts'
import { captureFile } from '../capture-file.ts'
import { privateMessages, privateTexts } from '../private-messages.ts'
import { allStored, startSystem, until, type System } from '../system.ts'

t.setTimeout(1_800_000)

const run = promisify(execFile)
const scenario = fileURLToPath(new URL('../sipp/private.xml', import.meta.url))
/** Neither phone nor trunk: who comes from here must know a password. */
const stranger = '127.0.0.4'
const v6 = ['2001:db8:77::5', '2001:db8:77::6'] as const

/** Every spelling in which a text might slip through. */
function spellings(text: string): string[] {
  const hex = Buffer.from(text).toString('hex')
  const base64 = Buffer.from(text).toString('base64').replaceAll('=', '').slice(0, -1)
  return [text, hex, hex.replace(/../g, '%$&'), encodeURIComponent(text), base64].map((one) =>
    one.toLowerCase(),
  )
}

/** Printable pieces, as `strings` finds them, and all bytes as text: which of the texts are there. */
async function found(file: string, texts: Iterable<string>): Promise<string[]> {
  const { stdout } = await run('strings', ['-a', '-n', '3', file], { maxBuffer: 64 * 1024 * 1024 })
  const bytes = await readFile(file)
  const all = `${stdout}\n${bytes.toString('latin1')}\n${bytes.toString('utf8')}`.toLowerCase()
  return [...texts].filter((text) => spellings(text).some((spelling) => all.includes(spelling)))
}

/** Each value by the number of the row in which it came first: what is equal to what. */
function pattern(values: readonly (string | undefined)[]): number[] {
  return values.map((value) => values.indexOf(value))
}

/** A call with a password through Asterisk, an answered one over the trunk, messages of every kind: what is private of them. */
async function placeCalls(system: System): Promise<Set<string>> {
  const { pbx } = system
  const remote = { address: pbx.address, port: pbx.sipPort }
  await system.startTrunk()
  const withPassword = await runSipp({
    scenario: scenario as `${string}.xml`,
    remote,
    address: stranger,
    number: '6001',
    password: 'first-secret',
    caller: { number: '6001', name: "Alice 'Al' Wonderland" },
  })
  if (withPassword.callsOk !== 1) throw new Error(withPassword.errors)
  const answered = await runSipp({
    scenario: 'answered',
    remote,
    address: pbx.phoneAddress,
    number: '2718',
    caller: { number: '49301234567', name: 'Carol' },
    holdMs: 100,
  })
  if (answered.callsOk !== 1) throw new Error(answered.errors)

  await sendPrivateMessages(system)
  const texts = new Set<string>(privateTexts)
  for (const { text } of [...withPassword.messages, ...answered.messages]) {
    for (const [, , value = ''] of text.matchAll(
      /\b(nonce|response|cnonce|opaque|tag|branch)="?([^",;\s]+)/g,
    ))
      texts.add(value)
    texts.add(/^Call-ID: (.*)\r$/m.exec(text)?.[1] ?? '')
  }
  for (const user of ['2718', '6001']) for (const text of [`:${user}@`, `"${user}"`]) texts.add(text)
  for (const address of [pbx.address, pbx.phoneAddress, pbx.trunkAddress, stranger, ...v6]) texts.add(address)
  texts.delete('')
  return texts
}

/** Asterisk answers what it can read; that the messages themselves were seen is what matters. */
async function sendPrivateMessages(system: System): Promise<void> {
  const { pbx } = system
  const socket = createSocket('udp4')
  try {
    socket.bind(0, pbx.phoneAddress)
    await once(socket, 'listening')
    const own = `${pbx.phoneAddress}:${socket.address().port}`
    const sent = privateMessages({ pbx: `${pbx.address}:${pbx.sipPort}`, own })
    for (const { text } of sent) socket.send(text, pbx.sipPort, pbx.address)
    for (const { callId } of sent)
      await until(
        async () => (await system.messages({ callId, source: 'wire' })).length > 0,
        `a message of ${callId}`,
      )
  } finally {
    socket.close()
  }
}

const idAnswer = z.object({ id: z.string() })
const jobAnswer = z.object({ state: z.string(), messages: z.number() })

async function post(system: System, path: string, body: string | FormData): Promise<string> {
  const response = await fetch(new URL(path, system.stack.apiUrl), {
    method: 'POST',
    body,
    ...(typeof body === 'string' ? { headers: { 'content-type': 'application/json' } } : {}),
  })
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
  return idAnswer.parse(await response.json()).id
}

async function completed(system: System, path: string): Promise<number> {
  let messages = 0
  await until(async () => {
    const job = jobAnswer.parse(await (await system.get(path)).json())
    if (job.state === 'failed') throw new Error(JSON.stringify(job))
    messages = job.messages
    return job.state === 'completed'
  }, path)
  return messages
}

async function exported(system: System, order: object, file: string): Promise<number> {
  const path = `/api/v1/exports/${await post(system, '/api/v1/exports', JSON.stringify(order))}`
  const messages = await completed(system, path)
  await writeFile(file, Buffer.from(await (await system.get(`${path}/file`)).arrayBuffer()))
  return messages
}

/** A capture of another network, over IPv6, as an import. */
async function importOverIpv6(system: System): Promise<string> {
  const [src, dst] = v6
  const writer = createPcapngWriter({ application: 'test' })
  const blocks = privateMessages({ pbx: `[${dst}]:5060`, own: `[${src}]:5060` }).map(({ text }, n) => {
    const bytes = buildUdpFrame({
      linkType: linkTypes.ethernet,
      src: { address: src, port: 5060 },
      dst: { address: dst, port: 5060 },
      payload: Buffer.from(text),
    })
    return writer.packet({
      linkType: linkTypes.ethernet,
      atMicros: 1_795_391_929_000_000 + n * 1000,
      nanos: 0,
      bytes,
      originalLength: bytes.length,
      interfaceName: 'musterfirma-lan',
    })
  })
  const form = new FormData()
  form.append('file', new File([Buffer.concat([writer.header, ...blocks])], 'musterfirma.pcapng'))
  const id = await post(system, '/api/v1/imports', form)
  await completed(system, `/api/v1/imports/${id}`)
  return id
}

t.test('a masked file: nothing of the people is in it, and tshark shows the same ladder', async (t) => {
  const system = await startSystem(t, { hep: true, wire: true })
  const folder = t.testdir()
  const texts = await placeCalls(system)
  // Asterisk goes on repeating the answers that nobody confirms: both files are of the time until now.
  const until = String(Date.now() * 1000)
  await allStored(system)
  const imported = await importOverIpv6(system)
  const sipPorts = [system.pbx.sipPort, 5060]

  for (const [what, order] of [
    ['live traffic', { filter: {}, until }],
    ['an import over IPv6', { filter: { capture: [imported] } }],
  ] as const)
    await t.test(what, async (t) => {
      const [original, masked] = [join(folder, 'original.pcapng'), join(folder, 'masked.pcapng')]
      const messages = await exported(system, order, original)
      t.equal(await exported(system, { ...order, mask: true }, masked), messages)

      const wanted = await found(original, texts)
      // What is searched for is there before, else finding nothing proves nothing.
      for (const text of privateTexts) t.ok(wanted.includes(text), `${text} is in the original`)
      t.same(await found(masked, texts), [], `none of ${texts.size} texts`)
      const [before, after] = [captureFile(original, sipPorts), captureFile(masked, sipPorts)]
      await after.frames()
      t.equal(await after.packets(), (await after.fields(['frame.number'])).length)

      const names = ['sip.Method', 'sip.Status-Code', 'sip.CSeq', 'frame.time_epoch', 'sdp.media']
      t.same(await after.fields(names), await before.fields(names), 'methods, codes, CSeq, times, media')
      const [one, other] = [await ends(before), await ends(after)]
      for (const name of ['callId', 'src', 'dst', 'branch', 'fromTag', 'toTag', 'fromUser'] as const)
        t.same(
          pattern(other.map((row) => row[name])),
          pattern(one.map((row) => row[name])),
          `${name}: equal where it was equal`,
        )
      t.same(
        await after.fields(
          ['frame.number'],
          'ip.checksum.status != "Good" || udp.checksum.status != "Good" || _ws.malformed',
        ),
        [],
        'checksums and dissection',
      )
      const bytes = await readFile(masked)
      const addresses = new Set(one.flatMap(({ src, dst }) => [src, dst]))
      t.ok(addresses.size >= 2)
      for (const address of addresses)
        t.notOk(bytes.includes(headerBytes(address)), `${address} in a packet header`)
      const kept = new BlockList()
      kept.addSubnet('240.0.0.0', 4, 'ipv4')
      kept.addSubnet('fd00::', 8, 'ipv6')
      for (const { src, dst } of other)
        for (const address of [src, dst])
          t.ok(kept.check(address, address.includes(':') ? 'ipv6' : 'ipv4'), `${address} is a pseudonym`)

      const comments = (await after.fields(['frame.comment'], 'frame.comment contains "State:"')).flat()
      t.equal(comments.length, new Set(one.map(({ callId }) => callId)).size, 'each call has its verdict')
    })

  await t.test('one call, masked from the page of the call', async (t) => {
    const [row] = await system.messages({ source: 'wire', status: '401' })
    const file = join(folder, 'call.pcapng')
    const response = await system.get(`/api/v1/calls/${encodeURIComponent(row?.callId ?? '')}/pcap?mask=true`)
    await writeFile(file, Buffer.from(await response.arrayBuffer()))
    t.same(await found(file, texts), [])
    const [first, ...rest] = await captureFile(file, sipPorts).fields(['sip.Call-ID', 'frame.comment'])
    t.ok(rest.length >= 5)
    t.match(first?.[1]?.split('\\n'), [
      `Call-ID: ${first?.[0]}`,
      'State: rejected',
      /^Verdict: Number not found: \+?000/,
    ])
  })
})

interface Ends {
  readonly callId: string
  readonly src: string
  readonly dst: string
  readonly branch: string
  readonly fromTag: string
  readonly toTag: string
  readonly fromUser: string
}

async function ends(file: ReturnType<typeof captureFile>): Promise<Ends[]> {
  const names = ['sip.Call-ID', 'ip.src', 'ip.dst', 'ipv6.src', 'ipv6.dst']
  const words = ['sip.Via.branch', 'sip.from.tag', 'sip.to.tag', 'sip.from.user']
  return (await file.fields([...names, ...words])).map((row) => {
    const [callId = '', src4 = '', dst4 = '', src6 = '', dst6 = ''] = row
    const [branch = '', fromTag = '', toTag = '', fromUser = ''] = row.slice(names.length)
    return { callId, src: src4 || src6, dst: dst4 || dst6, branch, fromTag, toTag, fromUser }
  })
}

function headerBytes(address: string): Buffer {
  if (!address.includes(':')) return Buffer.from(address.split('.').map(Number))
  const [head = '', tail = ''] = address.split('::').map(hexWords)
  return Buffer.from(head + '0'.repeat(32 - head.length - tail.length) + tail, 'hex')
}

function hexWords(text: string): string {
  return text
    .split(':')
    .map((word) => (word === '' ? '' : word.padStart(4, '0')))
    .join('')
}
