import { spawn } from 'node:child_process'

/** The pipe to the guard closes when this process is gone, however it went; then the guard ends the group. */
const script = 'read -r _; kill -s KILL -- "-$1"'

/**
 * Ends a process group when this process dies without being able to (SIGKILL, out of memory): on a quiet network an
 * orphaned dumpcap would stay until its next packet. Answers how to release the group.
 */
export function guardGroup(groupId: number): () => void {
  const guard = spawn('/bin/sh', ['-c', script, 'guard', String(groupId)], {
    // A group of its own: what kills ours must not kill the guard.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // Without a guard the capture still works.
  guard.on('error', () => {})
  guard.stdin.on('error', () => {})
  return () => {
    guard.kill('SIGKILL')
  }
}
