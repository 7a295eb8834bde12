/** Everything that reached history or did not, since the process started. */
export interface IngestCounters {
  stored: number
  /** Redelivered messages that were there already. */
  duplicates: number
  callEvents: number
  deadLettered: number
  /** Of a newer version than this program knows. */
  skippedNewer: number
  /** Stream entries cut away before they were read. */
  lostToTrimming: number
  claimed: number
  trimmed: number
  insertFailures: number
}

export const newIngestCounters = (): IngestCounters => ({
  stored: 0,
  duplicates: 0,
  callEvents: 0,
  deadLettered: 0,
  skippedNewer: 0,
  lostToTrimming: 0,
  claimed: 0,
  trimmed: 0,
  insertFailures: 0,
})
