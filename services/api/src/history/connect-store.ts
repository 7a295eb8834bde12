import { openClusterStore } from './cluster-store.ts'
import { createEmbeddedStore } from './embedded-store.ts'
import type { Engine } from './engine.ts'
import type { WorkerConfig } from './requests.ts'
import { openServerStore } from './server-store.ts'
import type { Store } from './store.ts'

/** The store that the settings name; `openEngine` where that is the embedded one. @throws StoreError */
export function connectStore(
  { HISTORY_URL, HISTORY_CLUSTER, DATA_DIR }: WorkerConfig,
  openEngine: (folder: string) => Engine,
): Store {
  const [url] = HISTORY_URL ?? []
  if (HISTORY_URL === undefined || url === undefined)
    return createEmbeddedStore(openEngine(`${DATA_DIR}/history`))
  return HISTORY_CLUSTER === undefined
    ? openServerStore(url)
    : openClusterStore({ urls: HISTORY_URL, cluster: HISTORY_CLUSTER })
}
