import { execFile } from 'node:child_process'

const timeoutMillis = 10_000

/** Of tshark or tcpdump, such as `4.0.17`, or null if the program is not there or says something else. */
export function readProgramVersion(command: string): Promise<string | null> {
  return new Promise((resolve) => {
    execFile(command, ['--version'], { timeout: timeoutMillis, encoding: 'utf8' }, (error, stdout) => {
      resolve(error ? null : versionIn(stdout))
    })
  })
}

/** The first version in a text, or null. */
export function versionIn(text: string): string | null {
  return /\b(\d+\.\d+\.\d+)\b/.exec(text)?.[1] ?? null
}
