import { Download } from '../../components/download.tsx'
import { callPath } from '../../state/open-call.ts'

const formats = ['pcapng', 'pcap'] as const

/** "Export this dialog". */
export function ExportMenu({ call }: { call: { readonly callId: string; readonly capture: string | null } }) {
  return (
    <span class="export" role="group" aria-label="Export this dialog">
      <span class="export-label">Export this dialog</span>
      {formats.map((format) => (
        <Download key={format} path={callPath(call, '/pcap', { format })} exportFormat={format}>
          {format}
        </Download>
      ))}
      <span title="Pseudonyms for numbers, names, addresses and Call-IDs; digests removed: for a ticket or a forum">
        <Download path={callPath(call, '/pcap', { mask: 'true' })} exportFormat="masked">
          masked
        </Download>
      </span>
    </span>
  )
}
