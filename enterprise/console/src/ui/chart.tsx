// Counts over time, stacked by decision. Drawn by uPlot; the same numbers stand in a table for
// those who do not see a picture.
import { useEffect, useMemo, useRef, useState } from 'react'
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { HistogramBucket } from '../api/client'
import { useTheme } from '../app/theme'
import { count, decisionName, DECISIONS } from './show'
import { shortTime } from './time'

const ORDER = [...DECISIONS].filter((name) => name !== 'none')
const STACK = ['none', ...ORDER]

function ink(name: string): string {
  const probe = document.createElement('i')
  probe.className = name
  probe.hidden = true
  document.body.append(probe)
  const color = getComputedStyle(probe).color
  probe.remove()
  return color
}

export function StackedBars({
  buckets, end, height, label, onRange, onBucket,
}: {
  buckets: HistogramBucket[]
  /** End of the last bucket, in milliseconds. */
  end?: number
  height: number
  label: string
  onRange?: (from: number, to: number) => void
  onBucket?: (from: number, to: number) => void
}) {
  const host = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  const [tip, setTip] = useState<{ index: number; left: number } | null>(null)
  const used = useMemo(() => STACK.filter((name) => buckets.some((bucket) => (bucket.counts[name] ?? 0) > 0)), [buckets])
  const edges = useMemo(() => {
    const starts = buckets.map((bucket) => Date.parse(bucket.from))
    const step = starts.length > 1 ? (starts[1] as number) - (starts[0] as number) : 3_600_000
    return { starts, step, end: end ?? (starts.at(-1) ?? 0) + step }
  }, [buckets, end])
  const calls = useRef({ onRange, onBucket })
  calls.current = { onRange, onBucket }

  useEffect(() => {
    const element = host.current
    if (!element || buckets.length === 0) return
    const xs = edges.starts.map((start) => (start + edges.step / 2) / 1000)
    // The tallest is drawn first, so that each layer covers the one below.
    const sums = buckets.map(() => 0)
    const layers = used.map((name) => buckets.map((bucket, i) => (sums[i] = (sums[i] as number) + (bucket.counts[name] ?? 0))))
    const drawn = used.map((name, i) => ({ name, values: layers[i] as number[] })).reverse()
    const axis = ink('ink-axis')
    const grid = ink('ink-grid')
    const font = '11px Inter, system-ui, sans-serif'
    const bars = uPlot.paths.bars?.({ size: [0.82, 44], radius: 0.12, gap: 1 })
    let downAt = -1
    const plot = new uPlot(
      {
        width: element.clientWidth || 600,
        height,
        padding: [8, 18, 0, 0],
        legend: { show: false },
        cursor: {
          y: false,
          points: { show: false },
          drag: { x: Boolean(calls.current.onRange), y: false, setScale: false, dist: 6 },
        },
        select: { show: Boolean(calls.current.onRange), left: 0, top: 0, width: 0, height: 0 },
        scales: {
          x: { time: true, range: [(edges.starts[0] as number) / 1000, edges.end / 1000] },
          y: { range: (_, __, max) => [0, Math.max(4, max * 1.08)] },
        },
        axes: [
          { stroke: axis, font, grid: { show: false }, ticks: { show: false }, size: 24, space: 74, values: (u, splits, _axis, _space, step) => splits.map((s) => {
            const date = new Date(s * 1000)
            const hours = `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
            const days = `${date.getDate()} ${date.toLocaleString('en-GB', { month: 'short' })}`
            void u
            return step >= 86_400 ? days : date.getHours() === 0 && date.getMinutes() === 0 ? days : hours
          }) },
          { stroke: axis, font, grid: { stroke: grid, width: 1 }, ticks: { show: false }, size: 44, space: height < 130 ? 22 : 34, values: (_, splits) => splits.map((v) => (Number.isInteger(v) ? (v >= 10_000 ? `${v / 1000}k` : count(v)) : '')) },
        ],
        series: [{}, ...drawn.map(({ name }) => ({ label: name, fill: ink(`k-${name}`), stroke: 'transparent', width: 0, paths: bars, points: { show: false } }))],
        hooks: {
          setCursor: [
            (u) => {
              const left = u.cursor.left ?? -1
              if (left < 0) return setTip(null)
              const at = u.posToVal(left, 'x') * 1000
              const index = Math.floor((at - (edges.starts[0] as number)) / edges.step)
              setTip(index >= 0 && index < buckets.length ? { index, left: left + u.bbox.left / devicePixelRatio } : null)
            },
          ],
          setSelect: [
            (u) => {
              if (u.select.width < 6 || !calls.current.onRange) return
              const from = u.posToVal(u.select.left, 'x') * 1000
              const to = u.posToVal(u.select.left + u.select.width, 'x') * 1000
              u.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false)
              // Whole buckets: a brush means what it covers.
              const first = edges.starts[0] as number
              const low = first + Math.floor((from - first) / edges.step) * edges.step
              const high = first + Math.ceil((to - first) / edges.step) * edges.step
              calls.current.onRange(Math.max(low, first), Math.min(high, edges.end))
            },
          ],
          ready: [
            (u) => {
              u.over.addEventListener('pointerdown', (event) => (downAt = event.clientX))
              u.over.addEventListener('click', (event) => {
                if (!calls.current.onBucket || Math.abs(event.clientX - downAt) > 4) return
                const at = u.posToVal(u.cursor.left ?? 0, 'x') * 1000
                const start = edges.starts.findLast((from) => from <= at)
                if (start !== undefined) calls.current.onBucket(start, start + edges.step)
              })
              if (calls.current.onBucket) u.over.style.cursor = 'pointer'
              if (calls.current.onRange) u.over.style.cursor = 'crosshair'
            },
          ],
        },
      },
      [xs, ...drawn.map(({ values }) => values)],
      element,
    )
    const watch = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    watch.observe(element)
    return () => {
      watch.disconnect()
      plot.destroy()
    }
  }, [buckets, edges, used, height, theme])

  const shown = tip ? buckets[tip.index] : undefined
  const width = host.current?.clientWidth ?? 600
  return (
    <figure className="chart" style={{ height }} aria-label={label}>
      <div ref={host} aria-hidden="true" onMouseLeave={() => setTip(null)} />
      {shown && tip && (
        <div className="chart-tip" style={tip.left > width / 2 ? { right: width - tip.left + 12 } : { left: tip.left + 12 }} aria-hidden="true">
          <b>
            {shortTime(shown.from)} – {shortTime(Date.parse(shown.from) + edges.step).split(', ').at(-1)}
          </b>
          {[...used].reverse().map((name) => (
            <div key={name}>
              <i className={`k-${name}`} />
              {decisionName[name]}
              <span>{count(shown.counts[name] ?? 0)}</span>
            </div>
          ))}
        </div>
      )}
      <div className="hidden-visually">
      <table>
        <caption>{label}</caption>
        <thead>
          <tr>
            <th scope="col">From</th>
            {used.map((name) => (
              <th key={name} scope="col">
                {decisionName[name]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {buckets.map((bucket) => (
            <tr key={bucket.from}>
              <th scope="row">{shortTime(bucket.from)}</th>
              {used.map((name) => (
                <td key={name}>{bucket.counts[name] ?? 0}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      </div>
    </figure>
  )
}

/** What the colours mean, with the sum of each. */
export function Legend({ buckets }: { buckets: HistogramBucket[] }) {
  const sums = STACK.map((name) => [name, buckets.reduce((sum, bucket) => sum + (bucket.counts[name] ?? 0), 0)] as const).filter(([, n]) => n > 0)
  return (
    <div className="legend">
      {sums.reverse().map(([name, n]) => (
        <span key={name}>
          <i className={`k-${name}`} />
          {decisionName[name]} <b>{count(n)}</b>
        </span>
      ))}
    </div>
  )
}
