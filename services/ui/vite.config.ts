import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { preact } from '@preact/preset-vite'
import { defineConfig, type Plugin } from 'vite'

const api = process.env['API_URL'] ?? 'http://127.0.0.1:3001'

/**
 * Every zod schema carries methods that turn it into JSON Schema, which bundlers cannot shake off. The API makes its
 * OpenAPI with them; the page never does, and need not send them to every browser (5 kB of its 60 kB).
 */
const withoutJsonSchema: Plugin = {
  name: 'zod-without-json-schema',
  apply: 'build',
  enforce: 'pre',
  load(id) {
    if (!/zod\/v4\/core\/(json-schema-processors|to-json-schema)\.js$/.test(id)) return undefined
    const names = readFileSync(id, 'utf8').matchAll(/^export (?:const|function) (\w+)/gm)
    return [...names].reduce(
      (code, [, name]) => `${code}export const ${name} = none\n`,
      'const none = () => none\n',
    )
  },
}

/** What the page server does in earnest: the framed viewer is a page of its own. */
const embedInDevelopment: Plugin = {
  name: 'embed-page',
  apply: 'serve',
  configureServer({ middlewares }) {
    middlewares.use((request, _response, next) => {
      if (/^\/embed(\/|\?|$)/.test(request.url ?? '')) request.url = '/embed.html'
      next()
    })
  },
}

export default defineConfig({
  // Prefresh and the development hooks are for `vite dev`; neither belongs in the built page.
  plugins: [withoutJsonSchema, embedInDevelopment, preact({ devToolsEnabled: false })],
  build: {
    target: 'es2022',
    // Inlined assets would be `data:` styles and scripts, which the Content-Security-Policy refuses.
    assetsInlineLimit: 0,
    modulePreload: {
      polyfill: false,
      // What a lazy part needs besides is one script or two: not worth a list of names in the first load.
      resolveDependencies: (_file, dependencies, { hostType }) => (hostType === 'html' ? dependencies : []),
    },
    rolldownOptions: {
      input: ['index.html', 'embed.html'].map((name) => fileURLToPath(new URL(name, import.meta.url))),
      output: {
        // One script for what every part uses: five small ones compress worse, and the first load has a budget. The
        // comparison of messages comes when it is asked for, with its library.
        codeSplitting: {
          groups: [
            {
              name: 'base',
              test: /node_modules(?!.*[\\/]diff[\\/])|[\\/](time|shown-text|access|location)\.ts$/,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': api,
      '/docs': api,
      '/openapi.json': api,
      '/ws': { target: api, ws: true },
    },
  },
})
