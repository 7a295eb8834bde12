import './styles/main.css'
import './styles/embed.css'
import { render } from 'preact'
import { config } from 'zod'
import { watchLocation } from './state/location.ts'
import { OpenCallModel } from './state/open-call.ts'
import { SourcesModel } from './state/sources.ts'
import { EmbedPage } from './views/embed/embed-page.tsx'

// The Content-Security-Policy forbids making code from text, which zod would otherwise try.
config({ jitless: true })

watchLocation()
const root = document.getElementById('app')
if (root !== null) render(<EmbedPage open={new OpenCallModel()} sources={new SourcesModel()} />, root)
