import type { Ladder } from '@sip-capture/sip/ladder.ts'
import { render } from 'preact'
import { shownText } from '../../format/shown-text.ts'
import { fullTime, toMicros, zoneText } from '../../format/time.ts'
import type { LadderOptions } from '../capture/SipLadderPanel.tsx'
import { hostsText } from './arrow-words.ts'
import { LadderDrawing } from './ladder-drawing.tsx'
import { ladderGeometry, type LadderGeometry, layOutLadder } from './ladder-layout.ts'
import type { WholeCall } from '../../state/read-call.ts'

export interface SaveOrder {
  readonly call: WholeCall
  readonly ladder: Ladder
  readonly options: LadderOptions
  readonly format: 'svg' | 'png'
}

const lanePixels = 230
const headHeight = 96
/** Browsers draw no canvas beyond this. */
const longestSide = 16_000
const namespace = 'http://www.w3.org/2000/svg'

/** Hands the ladder out as a file. `''`, or a sentence on why not. */
export async function saveLadder(order: SaveOrder): Promise<string> {
  const { svg, width, height } = drawSvg(order)
  const name = `ladder-${fileName(order.call)}`
  const blob = new Blob([svg], { type: 'image/svg+xml' })
  if (order.format === 'svg') {
    download(blob, `${name}.svg`)
    return ''
  }
  const scale = Math.min(2, longestSide / height, longestSide / width)
  if (scale < 0.7) return 'This ladder is too long for a PNG: save it as SVG.'
  const png = await toPng(blob, width, height, scale)
  if (png === null) return 'The browser could not draw the PNG: save the ladder as SVG.'
  download(png, `${name}.png`)
  return ''
}

/** The whole ladder as one SVG that needs nothing else: the page's own drawing, with the colours and fonts of the
 *  theme written into it. The serialiser escapes all text. */
export function drawSvg({ call, ladder, options }: Omit<SaveOrder, 'format'>): {
  svg: string
  width: number
  height: number
} {
  const layout = layOutLadder(ladder, options)
  const geometry = ladderGeometry(120 + lanePixels * Math.max(2, ladder.lanes.length), ladder.lanes.length)
  const width = geometry.width + 16
  const height = headHeight + layout.height + 16
  const stage = document.createElement('div')
  stage.className = 'ladder-stage'
  document.body.append(stage)
  try {
    render(
      <svg class="ladder-svg" width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        <rect class="saved-ground" x={0} y={0} width={width} height={height} />
        <SavedHead call={call} ladder={ladder} geometry={geometry} />
        <g transform={`translate(0 ${headHeight})`}>
          <LadderDrawing
            ladder={ladder}
            layout={layout}
            geometry={geometry}
            isFolded={options.isFolded}
            first={0}
            last={layout.rows.length - 1}
            top={0}
            height={layout.height}
            selectedRow={-1}
            marked={[]}
            onlyLeg={options.onlyLeg}
          />
        </g>
      </svg>,
      stage,
    )
    const svg = stage.querySelector('svg')
    if (svg === null) throw new Error('nothing was drawn')
    resolveStyles(svg)
    svg.setAttribute('xmlns', namespace)
    // Two code points that XML has no place for, and that the serialiser lets through.
    const text = new XMLSerializer().serializeToString(svg).replaceAll(/[\ufffe\uffff]/g, '\ufffd')
    return { svg: `<?xml version="1.0" encoding="UTF-8"?>\n${text}\n`, width, height }
  } finally {
    render(null, stage)
    stage.remove()
  }
}

function SavedHead(props: { call: WholeCall; ladder: Ladder; geometry: LadderGeometry }) {
  const { call, ladder, geometry } = props
  const startMicros = toMicros(call.startedAt)
  const [verdict] = call.findings
  return (
    <g>
      <text class="saved-title" x={8} y={20}>
        {`${shownText(call.from)} → ${shownText(call.to)}: ${call.state.replaceAll('-', ' ')}`}
        {verdict !== undefined && ` · ${shownText(verdict.title)}`}
      </text>
      <text class="arrow-detail" x={8} y={37}>
        {`${fullTime(startMicros)} ${zoneText(startMicros)} · ${call.legs.length === 1 ? 'Call-ID' : `${call.legs.length} legs,`} ${shownText(call.id.slice(0, 200))}`}
      </text>
      {ladder.lanes.map((lane, index) => (
        <g key={lane.key}>
          <text class="saved-lane" x={geometry.laneX(index)} y={66} text-anchor="middle">
            {shownText(lane.name || lane.hosts[0]?.address || 'not known')}
          </text>
          <text class="arrow-detail" x={geometry.laneX(index)} y={82} text-anchor="middle">
            {hostsText(lane.hosts, lane.name !== '')}
          </text>
        </g>
      ))}
    </g>
  )
}

/** Properties that the style sheet gives to the drawing, each an attribute of SVG as well, and what holds without it. */
const drawn: readonly (readonly [name: string, initial: string])[] = [
  ['fill', ''],
  ['fill-opacity', '1'],
  ['stroke', 'none'],
  ['stroke-width', '1px'],
  ['stroke-dasharray', 'none'],
  ['opacity', '1'],
  ['paint-order', 'normal'],
  ['font-family', ''],
  ['font-size', ''],
  ['font-weight', '400'],
  ['font-style', 'normal'],
]

/** Writes what the style sheet says into attributes, and drops what means something to the page only. */
function resolveStyles(svg: SVGSVGElement): void {
  // Elements of the same class in a group of the same class look the same.
  const known = new Map<string, readonly (readonly [string, string])[]>()
  for (const element of svg.querySelectorAll('g, text, tspan, rect, line, path, circle')) {
    const group = element.parentElement?.closest('g')?.getAttribute('class') ?? ''
    const key = `${group}|${element.tagName}|${element.getAttribute('class') ?? ''}|${element.getAttribute('fill') ?? ''}`
    let attributes = known.get(key)
    if (attributes === undefined) {
      attributes = attributesOf(element)
      known.set(key, attributes)
    }
    for (const [name, value] of attributes) element.setAttribute(name, value)
  }
  for (const element of svg.querySelectorAll('*'))
    for (const name of ['class', 'id', 'role', 'aria-selected', 'aria-label', 'aria-hidden', 'data-arrow'])
      element.removeAttribute(name)
  svg.removeAttribute('class')
  svg.setAttribute('role', 'img')
}

function attributesOf(element: Element): (readonly [string, string])[] {
  const style = getComputedStyle(element)
  const { tagName } = element
  return drawn.flatMap(([name, initial]) => {
    const value = style.getPropertyValue(name)
    // A part of a text inherits, so that what is initial there must be said.
    const isSaid = value !== '' && (value !== initial || (tagName === 'tspan' && name !== 'opacity'))
    const isMeant =
      tagName === 'g' ? name === 'opacity' : !name.startsWith('font') || /^t(?:ext|span)$/.test(tagName)
    return isSaid && isMeant ? [[name, value] as const] : []
  })
}

async function toPng(svg: Blob, width: number, height: number, scale: number): Promise<Blob | null> {
  const url = URL.createObjectURL(svg)
  try {
    const image = new Image(width, height)
    image.src = url
    await image.decode()
    const canvas = document.createElement('canvas')
    canvas.width = Math.round(width * scale)
    canvas.height = Math.round(height * scale)
    const context = canvas.getContext('2d')
    if (context === null) return null
    context.scale(scale, scale)
    context.drawImage(image, 0, 0, width, height)
    return await new Promise((resolve) => canvas.toBlob(resolve, 'image/png'))
  } finally {
    URL.revokeObjectURL(url)
  }
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  // The browser has taken the blob once the click's task is over.
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Digits and letters of parties and time: nothing in it can leave a folder or carry a meaning to a shell. */
function fileName({ from, to, startedAt }: WholeCall): string {
  return [from, to, startedAt.slice(0, 19)]
    .map((part) => part.replaceAll(/[^a-z0-9+]/gi, '').slice(0, 32))
    .filter(Boolean)
    .join('-')
}
