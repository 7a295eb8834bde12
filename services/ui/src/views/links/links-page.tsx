import { useEffect, useState } from 'preact/hooks'
import { CopyButton } from '../../components/copy-button.tsx'
import { type Snippet, snippetGroups } from './snippets.ts'
import { TryLink } from './try-link.tsx'

/** `/links`: how other tools link to a call here, with this installation's address filled in. */
export function LinksPage() {
  const [address, setAddress] = useState(window.location.origin)
  const base = readBase(address)
  return (
    <main class="links" aria-label="Links from your CDR tool">
      <header>
        <h1>Link this from your CDR tool</h1>
        <p class="faint">
          A click on a call record opens its SIP here. What names the call opens it; what only lies near is a
          list.
        </p>
      </header>
      <TryLink />
      <label class="field">
        <span class="field-label">Address of this page as those who click reach it</span>
        <input
          type="url"
          class="mono"
          value={address}
          maxLength={300}
          aria-invalid={base === null}
          onInput={(event) => setAddress(event.currentTarget.value)}
        />
        {base === null && <span class="field-problem">An address such as https://sip.example.org</span>}
        {base !== null && isLocal(base) && (
          <span class="warn">! This name is of this machine only; other machines reach it by another.</span>
        )}
      </label>
      {base !== null &&
        snippetGroups(base).map((group) => (
          <section key={group.title} aria-label={group.title}>
            <h2>{group.title}</h2>
            <p>{group.about}</p>
            {group.snippets.map((snippet) => (
              <SnippetView key={snippet.id} snippet={snippet} />
            ))}
          </section>
        ))}
      <FramingPages />
    </main>
  )
}

function SnippetView({ snippet }: { snippet: Snippet }) {
  const { id, title, note, text } = snippet
  return (
    <div class="snippet" data-snippet={id}>
      <div class="snippet-head">
        <b>{title}</b>
        <CopyButton text={text} label="Copy" />
      </div>
      <pre tabIndex={0} aria-label={title}>
        {text}
      </pre>
      {note !== '' && <p class="faint">{note}</p>}
    </div>
  )
}

/** Which pages may frame the viewer, as the page server itself says in its policy. */
function FramingPages() {
  const [ancestors, setAncestors] = useState<string | null>(null)
  useEffect(() => {
    const controller = new AbortController()
    const ask = async () => {
      try {
        const answer = await fetch('/embed/call', { method: 'HEAD', signal: controller.signal })
        const policy = answer.headers.get('content-security-policy') ?? ''
        setAncestors(/frame-ancestors ([^;]*)/.exec(policy)?.[1] ?? null)
      } catch {
        // The page server is away: nothing is said of it.
      }
    }
    void ask()
    return () => controller.abort()
  }, [])
  if (ancestors === null) return null
  return (
    <p data-testid="framing">
      {ancestors === "'none'" ? (
        <>
          No page may frame it yet: name the origins of yours in <code>ALLOWED_ORIGINS</code> of the ui
          service (beside the address of this page, which the api needs there too).
        </>
      ) : (
        <>
          Pages that may frame it (<code>ALLOWED_ORIGINS</code>): <span class="mono wrap">{ancestors}</span>
        </>
      )}
    </p>
  )
}

/** An origin, and a path where a proxy puts one before the page; nothing that could end a quoted text. */
function readBase(address: string): string | null {
  if (!/^https?:\/\/[\w.:[\]/~-]+$/i.test(address) || !URL.canParse(address)) return null
  return address.replace(/\/+$/, '')
}

const isLocal = (base: string) => /^(localhost|127\..*|\[::1\])$/.test(new URL(base).hostname)
