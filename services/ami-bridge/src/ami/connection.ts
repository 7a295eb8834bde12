import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { Logger } from '@sip-capture/service/logger.ts'
import { type AmiFields, createActionId, encodeAction } from './actions.ts'
import { type AmiBlock, field, isContradictory, rawField } from './block.ts'
import { type AmiFailure, describeSocketError, failures, retryMillis } from './failure.ts'
import { createAmiParser } from './parser.ts'

export interface AmiSettings {
  readonly host: string
  readonly port: number
  readonly username: string
  readonly secret: string
  readonly isTls: boolean
}

export type AmiAnswer =
  | { ok: true; block: AmiBlock; events: readonly AmiBlock[] }
  /** `error`: Asterisk said no. `denied`: for want of a right. The others: there was no answer to have. */
  | {
      ok: false
      reason: 'error' | 'denied' | 'timeout' | 'disconnected' | 'busy' | 'unsendable'
      message: string
      block?: AmiBlock
    }

export interface AmiCounters {
  readonly events: number
  readonly answers: number
  readonly connects: number
  readonly timeouts: number
  /** Blocks that contradict what Asterisk itself answers, or that no Asterisk writes. */
  readonly suspect: number
  readonly oversized: number
  readonly malformed: number
}

export interface AmiConnection {
  /** Answers arrive in the order of the requests; many may be on their way at once. Never rejects. */
  request(action: string, fields?: AmiFields): Promise<AmiAnswer>
  /** The lines a CLI command prints, or what went wrong. */
  command(command: string): Promise<AmiAnswer>
  readonly isUp: boolean
  /** Why it is not up; undefined while it is or nothing failed yet. */
  readonly failure: AmiFailure | undefined
  /** The addresses of both ends of the connection, '' before there is one. */
  readonly remoteAddress: string
  readonly localAddress: string
  readonly counters: AmiCounters
  /** An event contradicts what Asterisk answers. */
  noteSuspect(): void
  close(): Promise<void>
}

export interface AmiHandlers {
  /** A hint, never an authority: a caller's text may have forged it. Must return quickly and not throw. */
  readonly onEvent: (block: AmiBlock) => void
  readonly onUp: () => void
  readonly onDown: (failure: AmiFailure) => void
}

/** Nothing that carries SIP text or dialplan noise unless it must. */
export const eventClasses = 'call,system,security,reporting'

const timing = {
  connectMillis: 5_000,
  bannerMillis: 5_000,
  answerMillis: 10_000,
  listMillis: 20_000,
  pingEveryMillis: 8_000,
  pingAnswerMillis: 5_000,
  steadyMillis: 10_000,
}
const maxPending = 4_096
const maxListItems = 100_000
const maxExpired = 1_024

interface Pending {
  readonly timer: NodeJS.Timeout
  readonly settle: (answer: AmiAnswer) => void
  answer?: AmiBlock
  readonly events: AmiBlock[]
}

/** Connects in the background and for ever, until closed. */
export function createAmiConnection(
  options: { settings: AmiSettings; logger: Logger } & AmiHandlers,
): AmiConnection {
  const { settings, logger, onEvent, onUp, onDown } = options
  const counters = { events: 0, answers: 0, connects: 0, timeouts: 0, suspect: 0 }
  const pending = new Map<string, Pending>()
  /** Requests given up; their late answers are no forgeries. */
  const expired = new Set<string>()
  const parser = createAmiParser({ onBanner, onBlock })

  let socket: Socket | undefined
  let isUp = false
  let isClosed = false
  let hasBanner = false
  let hasBytes = false
  let failure: AmiFailure | undefined
  let remoteAddress = ''
  let localAddress = ''
  let attempt = 0
  let stepTimer: NodeJS.Timeout | undefined
  let retryTimer: NodeJS.Timeout | undefined
  let pingTimer: NodeJS.Timeout | undefined
  let steadyTimer: NodeJS.Timeout | undefined
  let lastSentence = ''

  function open(): void {
    if (isClosed) return
    hasBanner = false
    hasBytes = false
    parser.reset()
    const target = { host: settings.host, port: settings.port }
    const opened = settings.isTls ? connectTls(target) : connectTcp(target)
    socket = opened
    opened.setNoDelay(true)
    step(timing.connectMillis, failures.connectTimeout(settings))
    opened.once(settings.isTls ? 'secureConnect' : 'connect', () => {
      remoteAddress = opened.remoteAddress ?? ''
      localAddress = opened.localAddress ?? ''
      step(timing.bannerMillis, failures.noBanner(settings))
    })
    opened.on('data', (chunk: Buffer) => {
      if (socket !== opened) return
      hasBytes = true
      parser.push(chunk)
    })
    opened.on('error', (error) => drop(opened, describeSocketError(error, settings)))
    opened.on('close', () =>
      drop(opened, hasBytes ? failures.closed(settings) : failures.closedAtOnce(settings)),
    )
  }

  /** The next step must come within `millis`. */
  function step(millis: number, otherwise: AmiFailure): void {
    clearTimeout(stepTimer)
    const current = socket
    stepTimer = setTimeout(() => current && drop(current, otherwise), millis)
  }

  function onBanner(line: string): void {
    if (!line.startsWith('Asterisk Call Manager/')) {
      if (socket) drop(socket, failures.wrongBanner(settings, line))
      return
    }
    hasBanner = true
    step(timing.answerMillis, failures.loginTimeout(settings))
    void login()
  }

  async function login(): Promise<void> {
    const current = socket
    const answer = await send('Login', [
      ['Username', settings.username],
      ['Secret', settings.secret],
      ['Events', eventClasses],
    ])
    if (current === undefined || socket !== current) return
    if (!answer.ok) {
      drop(current, failures.login(settings, answer.message))
      return
    }
    clearTimeout(stepTimer)
    isUp = true
    failure = undefined
    lastSentence = ''
    counters.connects += 1
    steadyTimer = setTimeout(() => (attempt = 0), timing.steadyMillis)
    pingTimer = setInterval(() => void ping(current), timing.pingEveryMillis)
    logger.info({ host: settings.host, port: settings.port }, 'connected to Asterisk')
    onUp()
  }

  async function ping(current: Socket): Promise<void> {
    const answer = await send('Ping', [], timing.pingAnswerMillis)
    if (!answer.ok && answer.reason === 'timeout') drop(current, failures.silent(settings))
  }

  function onBlock(block: AmiBlock): void {
    const actionId = rawField(block, 'ActionID')
    if (isContradictory(block)) {
      counters.suspect += 1
      // An answer of our own is matched by an ActionID nobody can guess, so only an event is in doubt here.
      if (block.kind === 'event') return
    }
    const waiting = actionId === '' ? undefined : pending.get(actionId)
    if (block.kind === 'event') {
      counters.events += 1
      if (waiting) return addListItem(actionId, waiting, block)
      onEvent(block)
      return
    }
    if (!waiting) {
      if (!expired.delete(actionId)) counters.suspect += 1
      return
    }
    counters.answers += 1
    waiting.answer = block
    if (/^start$/i.test(rawField(block, 'EventList'))) return
    settle(actionId, waiting)
  }

  function addListItem(actionId: string, waiting: Pending, block: AmiBlock): void {
    if (/^(?:complete|cancelled)$/i.test(rawField(block, 'EventList'))) return settle(actionId, waiting)
    if (waiting.events.length < maxListItems) waiting.events.push(block)
  }

  function settle(actionId: string, waiting: Pending): void {
    pending.delete(actionId)
    clearTimeout(waiting.timer)
    const block = waiting.answer
    if (!block) return waiting.settle({ ok: false, reason: 'error', message: 'a list without its answer' })
    const isOk = /^(?:success|follows|goodbye)$/i.test(block.name)
    if (isOk && !block.isTruncated) return waiting.settle({ ok: true, block, events: waiting.events })
    const message = block.isTruncated ? 'the answer was too long' : field(block, 'Message')
    waiting.settle({ ok: false, reason: /permission/i.test(message) ? 'denied' : 'error', message, block })
  }

  function send(
    action: string,
    fields: AmiFields = [],
    timeoutMillis = timing.answerMillis,
  ): Promise<AmiAnswer> {
    const current = socket
    if (!current || !hasBanner) return no('disconnected', 'not connected to Asterisk')
    if (pending.size >= maxPending) return no('busy', 'too many requests wait for Asterisk')
    const actionId = createActionId()
    const encoded = encodeAction(action, actionId, fields)
    if (!encoded.ok) return no('unsendable', encoded.problem)
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        counters.timeouts += 1
        pending.delete(actionId)
        if (expired.size >= maxExpired) expired.clear()
        expired.add(actionId)
        resolve({ ok: false, reason: 'timeout', message: `Asterisk did not answer ${action}` })
      }, timeoutMillis)
      pending.set(actionId, { timer, settle: resolve, events: [] })
      current.write(encoded.bytes)
    })
  }

  function drop(which: Socket, why: AmiFailure): void {
    if (socket !== which) return
    socket = undefined
    const wasUp = isUp
    isUp = false
    failure = why
    for (const timer of [stepTimer, steadyTimer]) clearTimeout(timer)
    clearInterval(pingTimer)
    which.destroy()
    parser.reset()
    expired.clear()
    for (const [actionId, waiting] of pending) {
      pending.delete(actionId)
      clearTimeout(waiting.timer)
      waiting.settle({ ok: false, reason: 'disconnected', message: why.sentence })
    }
    if (isClosed) return
    if (why.sentence !== lastSentence) logger[wasUp ? 'warn' : 'error']({ kind: why.kind }, why.sentence)
    lastSentence = why.sentence
    retryTimer = setTimeout(open, retryMillis(why.kind, attempt++))
    onDown(why)
  }

  open()
  const request: AmiConnection['request'] = (action, fields) => {
    if (!isUp) return no('disconnected', failure?.sentence ?? 'not connected to Asterisk')
    const isList = /^(?:PJSIP|Core)Show/.test(action)
    return send(action, fields, isList ? timing.listMillis : timing.answerMillis)
  }

  return {
    request,
    command: (command) => request('Command', [['Command', command]]),
    get isUp() {
      return isUp
    },
    get failure() {
      return failure
    },
    get remoteAddress() {
      return remoteAddress
    },
    get localAddress() {
      return localAddress
    },
    get counters() {
      const { oversized, malformed } = parser.counters
      return { ...counters, oversized, malformed }
    },
    noteSuspect: () => (counters.suspect += 1),
    async close() {
      isClosed = true
      clearTimeout(retryTimer)
      const current = socket
      if (!current) return
      if (isUp) await send('Logoff', [], 1_000)
      drop(current, failures.closed(settings))
    },
  }
}

function no(reason: 'disconnected' | 'busy' | 'unsendable', message: string): Promise<AmiAnswer> {
  return Promise.resolve({ ok: false, reason, message })
}
