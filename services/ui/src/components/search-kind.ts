/** What is searched decides which fields there are. */
export type SearchKind = 'messages' | 'calls'
