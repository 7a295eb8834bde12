import './styles/main.css'
import { render } from 'preact'
import { config } from 'zod'
import { App } from './app.tsx'
import { createModels } from './state/models.ts'
import { watchLocation } from './state/location.ts'
import { applyTheme } from './state/theme.ts'

// The Content-Security-Policy forbids making code from text, which zod would otherwise try.
config({ jitless: true })

const models = createModels(`${window.location.origin.replace(/^http/, 'ws')}/ws`)
watchLocation()
applyTheme()
models.feed.start()
models.capture.start()
const root = document.getElementById('app')
if (root !== null) render(<App {...models} />, root)
