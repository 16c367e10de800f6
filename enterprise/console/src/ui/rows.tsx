// A table that stays quick at 10,000 rows: only what is seen is in the page.
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, type CSSProperties, type ReactNode } from 'react'

export interface Column<T> {
  name: string
  /** A track of a CSS grid. */
  width: string
  num?: boolean
  cell: (row: T) => ReactNode
}

export function Rows<T>({
  label, columns, rows, keyOf, active, onActive, onOpen, onEnd, height = 35, minWidth = 720, foot, rowClass, holdTop, empty,
}: {
  label: string
  columns: Column<T>[]
  rows: T[]
  keyOf: (row: T) => string
  /** Key of the chosen row. */
  active?: string | null
  onActive?: (row: T) => void
  onOpen?: (row: T) => void
  /** Called when the last rows come into view. */
  onEnd?: () => void
  height?: number
  minWidth?: number
  foot?: ReactNode
  rowClass?: (row: T) => string
  /** Rows arrive at the top: keep what is being read in place unless the reader is at the top. */
  holdTop?: boolean
  empty?: ReactNode
}) {
  const scroll = useRef<HTMLDivElement>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroll.current,
    estimateSize: () => height,
    getItemKey: (index) => keyOf(rows[index] as T),
    overscan: 12,
    paddingStart: 31,
    scrollPaddingStart: 31,
  })
  const items = virtual.getVirtualItems()
  const lastSeen = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (onEnd && rows.length > 0 && lastSeen >= rows.length - 30) onEnd()
  }, [lastSeen, rows.length, onEnd])

  const top = useRef<string | undefined>(undefined)
  useEffect(() => {
    const element = scroll.current
    const first = rows[0] ? keyOf(rows[0]) : undefined
    if (holdTop && element && top.current && element.scrollTop > height) {
      const moved = rows.findIndex((row) => keyOf(row) === top.current)
      if (moved > 0) element.scrollTop += moved * height
    }
    top.current = first
  }, [rows, holdTop, height, keyOf])

  useEffect(() => {
    if (!active) return
    const index = rows.findIndex((row) => keyOf(row) === active)
    if (index >= 0) virtual.scrollToIndex(index, { align: 'auto' })
    // Only when the choice itself moves.
  }, [active])

  useEffect(() => {
    function key(event: KeyboardEvent) {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return
      if (document.querySelector('dialog[open]')) return
      const step = event.key === 'j' ? 1 : event.key === 'k' ? -1 : 0
      const at = rows.findIndex((row) => keyOf(row) === active)
      if (step !== 0) {
        const row = rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + step))]
        if (row) (onActive ?? onOpen)?.(row)
        event.preventDefault()
      } else if (event.key === 'Enter' && at >= 0 && !(event.target instanceof HTMLButtonElement) && !(event.target instanceof HTMLAnchorElement)) {
        const row = rows[at]
        if (row) onOpen?.(row)
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [rows, active, keyOf, onActive, onOpen])

  const style = { '--cols': columns.map((column) => column.width).join(' '), '--min': `${minWidth}px` } as CSSProperties
  return (
    <div className="vt" style={style}>
      <div className="vt-scroll" ref={scroll} tabIndex={0} role="region" aria-label={`${label}, scrolls`}>
        {rows.length === 0 && empty ? (
          <div style={{ display: 'flex', minHeight: '100%' }}>{empty}</div>
        ) : (
          <div className="vt-inner" role="table" aria-label={label} aria-rowcount={rows.length + 1} style={{ height: virtual.getTotalSize() }}>
            <div role="rowgroup" style={{ position: 'sticky', top: 0, zIndex: 2 }}>
              <div className="vt-head" role="row" aria-rowindex={1}>
                {columns.map((column) => (
                  <div key={column.name} role="columnheader" className={column.num ? 'num' : undefined}>
                    {column.name}
                  </div>
                ))}
              </div>
            </div>
            <div role="rowgroup">
              {items.map((item) => {
                const row = rows[item.index]
                if (row === undefined) return null
                const current = active === keyOf(row)
                return (
                  <div
                    key={item.key}
                    role="row"
                    aria-rowindex={item.index + 2}
                    aria-current={current || undefined}
                    className={`vt-row ${rowClass?.(row) ?? ''}`}
                    style={{ height: item.size, transform: `translateY(${item.start}px)` }}
                    onClick={() => onOpen?.(row)}
                  >
                    {columns.map((column) => (
                      <div key={column.name} role="cell" className={column.num ? 'num ellipsis' : 'ellipsis'}>
                        {column.cell(row)}
                      </div>
                    ))}
                  </div>
                )
              })}
            </div>
          </div>
        )}
      </div>
      {foot && <div className="vt-foot">{foot}</div>}
    </div>
  )
}

/** True where a key press belongs to a field. */
export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable || target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
  )
}
