import { setTimeout as pause } from 'node:timers/promises'
import type { CallEvent } from '@sip-capture/contract/bus/call-event.ts'
import type { EndpointDirectory } from '@sip-capture/contract/bus/endpoint-directory.ts'
import type { SipRecord } from '@sip-capture/contract/bus/sip-record.ts'
import type { SourceGap, SourceStatus } from '@sip-capture/contract/bus/source-status.ts'
import { createBusKeys } from '@sip-capture/contract/keys.ts'
import { nowMicros } from '@sip-capture/contract/time.ts'
import { createHeartbeat } from '@sip-capture/service/heartbeat.ts'
import type { RunningService } from '@sip-capture/service/lifecycle.ts'
import type { Logger } from '@sip-capture/service/logger.ts'
import { createRedis } from '@sip-capture/service/redis.ts'
import { createStreamWriter } from '@sip-capture/service/stream-writer.ts'
import { type AmiBlock, field } from './ami/block.ts'
import { createAmiConnection } from './ami/connection.ts'
import { readRights } from './ami/rights.ts'
import { createCalls } from './calls/calls.ts'
import type { Config } from './config.ts'
import { createCursorStore } from './cursor-store.ts'
import { createEndpointAddresses } from './directory/endpoint-addresses.ts'
import { readEndpointDirectory } from './directory/endpoints.ts'
import { provisionHep } from './hep-provision.ts'
import { startMetrics } from './metrics.ts'
import { answerOptionRequests } from './options/option-answers.ts'
import { createOwnAddresses } from './own-addresses.ts'
import { createPublisher } from './publish.ts'
import { collectStatus } from './status.ts'
import { createHepTap, type HepTap } from './taps/hep.ts'
import { createHistoryTap, type HistoryTap } from './taps/history.ts'
import { createTapMerger } from './taps/tap-merger.ts'
import { createTapSelection } from './taps/tap-selection.ts'

const directoryMillis = 60_000
const directoryPatienceMillis = 2_000
const maxGaps = 32
/** Events that Asterisk sends when it has just sent or received SIP. */
const trafficEvents = new Set(['Newchannel', 'Newstate', 'DialBegin', 'Hangup'])
const maxStreamBytes = 64 * 1024 * 1024

export interface Bridge extends RunningService {
  readonly status: SourceStatus
  /** Where HEP is received; undefined where it is not. */
  readonly hepPort: number | undefined
}

/** Connects everything: AMI in, taps, bus out. @throws ConfigError when HEP_LISTEN or METRICS_PORT cannot be had. */
export async function startBridge({ config, logger }: { config: Config; logger: Logger }): Promise<Bridge> {
  const startedAtMicros = nowMicros()
  const node = config.NODE_NAME
  const isOff = config.AMI_HOST === undefined
  const setting = isOff ? 'off' : config.AMI_TAP
  // What can fail comes first and alone is waited for: nothing else runs before all of it is there.
  const metrics = await startMetrics(config.METRICS_PORT, () => status())
  const hep: HepTap | undefined =
    setting === 'auto' || setting === 'hep'
      ? await createHepTap({
          listen: config.HEP_LISTEN,
          password: config.HEP_PASSWORD,
          logger,
          onSip: (packet, message) => merger.onHep(packet, message),
          onRtcp: ({ correlationId, payload, atMicros, srcAddress, srcPort, dstAddress, dstPort }) =>
            calls?.onHepRtcp(correlationId, {
              payload,
              atMicros,
              direction: own.directionOf(
                { address: srcAddress, port: srcPort },
                { address: dstAddress, port: dstPort },
              ),
            }),
        })
      : undefined
  const keys = createBusKeys(config.BUS_PREFIX)
  const redis = createRedis(config, { purpose: 'command', logger })
  const publisher = createPublisher({ redis, keys, logger })
  const callEvents = createStreamWriter<CallEvent>({ redis, key: keys.calls, logger, maxStreamBytes })
  const directories = createStreamWriter<EndpointDirectory>({
    redis,
    key: keys.endpoints,
    logger,
    maxStreamBytes,
    maxBufferedItems: 4,
  })
  const own = createOwnAddresses()
  const endpointAddresses = createEndpointAddresses()
  const gaps: SourceGap[] = []
  let lastMessageAtMicros: number | null = null
  let subject = ''
  let rights: string[] = []
  let notes = new Map<string, string>()
  let hasConnected = false

  const noteGap = (gap: SourceGap) => {
    gaps.push(gap)
    if (gaps.length > maxGaps) gaps.shift()
    void heartbeat.beat()
  }

  const ami = isOff
    ? undefined
    : createAmiConnection({
        settings: {
          host: config.AMI_HOST ?? '',
          port: config.AMI_PORT,
          username: config.AMI_USERNAME ?? '',
          secret: config.AMI_SECRET ?? '',
          isTls: config.AMI_TLS,
        },
        logger,
        onEvent,
        onUp: () => void onUp(),
        onDown: () => void heartbeat.beat(),
      })

  const selection = createTapSelection({
    setting,
    onChange(tap, from, silentForMillis) {
      logger.info({ tap, from }, `tap ${tap} instead of ${from}: ${selection.reason}`)
      if (tap === 'history') {
        history?.start()
        const toMicros = nowMicros()
        noteGap({
          fromMicros: toMicros - Math.round(silentForMillis * 1000),
          toMicros,
          reason: selection.reason,
        })
      } else void history?.stop().then(() => heartbeat.beat())
      void heartbeat.beat()
    },
  })
  const merger = createTapMerger({
    node,
    own,
    selection,
    isAlone: setting !== 'auto',
    publish(record: SipRecord) {
      lastMessageAtMicros = Math.max(lastMessageAtMicros ?? 0, record.atMicros)
      publisher.publish(record)
    },
    historyProblem: () => history?.problem,
    onCorrelation: (channel, callId) => calls?.onHepCorrelation(channel, callId),
    onInvite: (invite) => calls?.onInvite(invite),
    onSuspect: () => ami?.noteSuspect(),
  })
  const calls =
    ami &&
    createCalls({
      ami,
      node,
      write: (event) => callEvents.write(event),
      isEndpointAt: (endpoint, address) => endpointAddresses.isEndpointAt(endpoint, address),
      onSuspect(what) {
        ami.noteSuspect()
        logger.warn({ what }, 'AMI reported something that Asterisk does not confirm')
      },
    })
  const history: HistoryTap | undefined =
    ami && (setting === 'auto' || setting === 'history')
      ? createHistoryTap({
          ami,
          node,
          store: createCursorStore(redis, keys, `${config.AMI_HOST}:${config.AMI_PORT}`),
          logger,
          onMessage: merger.onHistory,
          onGap: noteGap,
          flush: publisher.flush,
          isBusy: () => (calls?.openLegs ?? 0) > 0,
        })
      : undefined
  const optionAnswers =
    ami &&
    answerOptionRequests({
      redis,
      subscriber: createRedis(config, {
        purpose: 'subscribe',
        logger: logger.child({}, { level: 'silent' }),
      }),
      keys,
      node,
      ami,
      isEndpoint: (name) => endpointAddresses.has(name),
      logger,
    })
  function onEvent(block: AmiBlock): void {
    merger.onEvent(block)
    calls?.onEvent(block)
    if (isTrafficHint(block)) {
      history?.nudge()
      selection.noteTraffic()
    }
    if (block.name === 'ContactStatus' || block.name === 'Reload') scheduleDirectory(1_000)
  }

  async function onUp(): Promise<void> {
    if (!ami) return
    void heartbeat.beat()
    if (hasConnected) selection.restart()
    hasConnected = true
    // As the seed product does: it makes Asterisk print SIP to its console, and a patched one put it on AMI.
    const logging = setting === 'off' ? undefined : await ami.command('pjsip set logger on')
    notes = new Map()
    if (logging && !logging.ok) notes.set('logger', `"pjsip set logger on" failed: ${logging.message}`)
    // Addresses first, they go into every record; but a busy Asterisk must not keep the history waiting.
    await Promise.race([publishDirectory(), pause(directoryPatienceMillis, undefined, { ref: false })])
    if (selection.tap === 'history') history?.start()
    const settings = await ami.request('CoreSettings')
    const version = settings.ok ? field(settings.block, 'AsteriskVersion').replace(/[^\w.-].*$/, '') : ''
    subject = `Asterisk ${version}`.trim()
    rights = await readRights(ami, config.AMI_USERNAME ?? '')
    if (config.HEP_PROVISION && hep) {
      const sentence = await provisionHep(ami, hep.address, config.HEP_PASSWORD)
      notes.set('provision', sentence)
      logger.info(sentence)
    }
    await calls?.resync()
    await heartbeat.beat()
  }

  let directoryTimer: NodeJS.Timeout | undefined
  let directoryDueAt = Infinity

  function scheduleDirectory(millis: number): void {
    const dueAt = performance.now() + millis
    if (dueAt >= directoryDueAt) return
    clearTimeout(directoryTimer)
    directoryDueAt = dueAt
    directoryTimer = setTimeout(() => {
      directoryDueAt = Infinity
      void publishDirectory()
    }, millis)
  }

  async function publishDirectory(): Promise<void> {
    if (!ami?.isUp) return
    const result = await readEndpointDirectory(ami, node)
    if (result.ok) {
      own.replace(result.directory.ownAddresses)
      endpointAddresses.replace(result.directory.endpoints)
      directories.write(result.directory)
      notes.delete('directory')
    } else {
      const remedy = result.isDenied ? ': give the AMI user write=system,reporting in manager.conf' : ''
      notes.set('directory', `Endpoint names are missing: ${result.problem}${remedy}`)
    }
    scheduleDirectory(directoryMillis)
  }

  const status = (): SourceStatus =>
    collectStatus({
      config,
      startedAtMicros,
      ami,
      selection,
      history,
      hep,
      subject,
      lastMessageAtMicros,
      problems: [publisher.problem, callEvents.problem, directories.problem],
      warnings: [...notes.values(), ...rights],
      gaps,
      counters: {
        ...publisher.counters,
        ...merger.counters,
        ...calls?.counters,
        ...history?.counters,
        ...hep?.counters,
        ...optionAnswers?.counters,
      },
    })

  const heartbeat = createHeartbeat({ redis, keys, logger, collect: status })
  if (isOff) logger.warn('no Asterisk is named: set AMI_HOST, AMI_USERNAME and AMI_SECRET')

  return {
    get status() {
      return status()
    },
    get hepPort() {
      return hep?.address.port
    },
    async close() {
      clearTimeout(directoryTimer)
      directoryDueAt = -Infinity
      selection.close()
      await history?.stop()
      await ami?.close()
      await hep?.close()
      calls?.close()
      optionAnswers?.close()
      await Promise.all([publisher.close(), callEvents.close(), directories.close()])
      await heartbeat.close()
      await metrics?.close()
      redis.disconnect()
    },
  }
}

function isTrafficHint(block: AmiBlock): boolean {
  if (trafficEvents.has(block.name)) return field(block, 'Channel').startsWith('PJSIP/')
  return block.name === 'ContactStatus' || field(block, 'Service') === 'PJSIP'
}
