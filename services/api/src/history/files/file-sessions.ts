import type { Store } from '../store.ts'
import { ExportSession, type ExportOrder, type ExportStep } from './export-session.ts'
import { ImportSession, type ImportOrder, type ImportStep } from './import-session.ts'

type Session = ExportSession | ImportSession

interface Entry {
  readonly session: Session
  usedAtMillis: number
  isBusy: boolean
}

/** Trying again, from the start, can help. */
export class SessionLost extends Error {
  override readonly name = 'SessionLost'
}

const maxSessions = 8
const idleMillis = 120_000
const isOld = (usedAtMillis: number): boolean => Date.now() - usedAtMillis > idleMillis

/** Files that are written from history or read into it, a step a request: the asker sets the pace and may stop at any time. */
export class FileSessions {
  readonly #store: Store
  readonly #entries = new Map<string, Entry>()

  constructor(store: Store) {
    this.#store = store
  }

  async openExport(session: string, order: ExportOrder): Promise<ExportStep> {
    await this.#add(session, new ExportSession(this.#store, order))
    return { rows: 0, total: 0, messages: 0, sizeBytes: 0, isDone: false }
  }

  async openImport(session: string, order: ImportOrder): Promise<ImportStep> {
    await this.#add(session, new ImportSession(this.#store, order))
    return { readBytes: 0, frames: 0, messages: 0, firstAtMicros: null, lastAtMicros: null, isDone: false }
  }

  /** Imports that are being read. */
  get captures(): ReadonlySet<string> {
    return new Set(
      [...this.#entries.values()].flatMap(({ session, isBusy, usedAtMillis }) =>
        session instanceof ImportSession && !session.isDone && (isBusy || !isOld(usedAtMillis))
          ? [session.capture]
          : [],
      ),
    )
  }

  /** @throws SessionLost when this process does not know the session: it is not the one that opened it. */
  async step(session: string): Promise<ExportStep | ImportStep> {
    const entry = this.#entries.get(session)
    if (!entry || entry.isBusy) throw new SessionLost('the history process was started again')
    entry.isBusy = true
    try {
      return await entry.session.step()
    } finally {
      entry.isBusy = false
      entry.usedAtMillis = Date.now()
    }
  }

  async close(session: string): Promise<void> {
    const entry = this.#entries.get(session)
    this.#entries.delete(session)
    await entry?.session.close()
  }

  async #add(name: string, session: Session): Promise<void> {
    for (const [other, { isBusy, usedAtMillis }] of this.#entries)
      if (!isBusy && isOld(usedAtMillis)) await this.close(other)
    if (this.#entries.size >= maxSessions) throw new SessionLost('too many files are worked on')
    this.#entries.set(name, { session, usedAtMillis: Date.now(), isBusy: false })
  }
}
