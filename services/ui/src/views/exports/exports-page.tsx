import { useEffect, useMemo } from 'preact/hooks'
import { FileButton } from '../../components/file-drop.tsx'
import { shownText } from '../../format/shown-text.ts'
import { zoneText } from '../../format/time.ts'
import type { CaptureModel } from '../../state/capture.ts'
import { JobsModel } from '../../state/jobs.ts'
import { importsChanged } from '../../state/notices.ts'
import { ExportRow } from './export-row.tsx'
import { ImportRow } from './import-row.tsx'
import { ScheduleSection } from './schedule-section.tsx'

/** `/exports`: capture files going out (once, and on schedules) and coming in. */
export function ExportsPage({ capture }: { capture: CaptureModel }) {
  const jobs = useMemo(() => new JobsModel(), [])
  useEffect(() => jobs.watch(), [jobs])
  const changes = importsChanged.value
  useEffect(() => {
    if (changes > 0) void jobs.load()
  }, [changes])
  const exports = jobs.exports.value
  const imports = jobs.imports.value
  const importNames = new Map(imports.map(({ id, name }) => [id, name]))
  const loaded = jobs.loaded.value
  const problem = jobs.problem.value
  const changed = () => void jobs.load()
  return (
    <main class="exports" aria-label="Exports">
      <h1>Exports</h1>
      <p class="faint">Times in {zoneText()}</p>
      {problem !== null && (
        <p class="notice" role="alert">
          {shownText(problem)}
        </p>
      )}
      {!loaded && <p role="status">Asking the API …</p>}
      {loaded && (
        <section aria-label="Exports" data-testid="exports">
          <h2>Files</h2>
          {exports.length === 0 ? (
            <div class="section-empty">
              <p>
                No export yet. On the <a href="/capture">capture page</a>, filter to what you need and press{' '}
                <b>Export …</b>: the file is made in its own time and waits here.
              </p>
            </div>
          ) : (
            <ul class="jobs">
              {exports.map((view) => (
                <ExportRow key={view.id} view={view} importNames={importNames} onChanged={changed} />
              ))}
            </ul>
          )}
        </section>
      )}
      {loaded && <ScheduleSection schedules={jobs.schedules.value} capture={capture} onChanged={changed} />}
      {loaded && (
        <section aria-label="Imports" data-testid="imports">
          <div class="section-head">
            <h2>Imports</h2>
            <FileButton />
          </div>
          {imports.length === 0 ? (
            <p class="section-empty">
              No import yet. Drop a pcap or pcapng file anywhere on the page: it is read, kept under its name,
              and can be searched, drawn and exported like live traffic.
            </p>
          ) : (
            <ul class="jobs">
              {imports.map((view) => (
                <ImportRow key={view.id} view={view} onChanged={changed} />
              ))}
            </ul>
          )}
        </section>
      )}
    </main>
  )
}
