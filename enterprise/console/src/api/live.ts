// One live feed for the whole console: rows for the Live screen, and a nudge for the lists.
//
// The browser resumes a dropped feed by itself with the last row's id. Where it gives up (the
// server was restarted, a proxy answered), a new feed is opened and the hole is filled from the
// events list; rows are told apart by their id, so that nothing stands twice.
import { useSyncExternalStore } from 'react'
import { api, take, type EventRow } from './client'
import { queryClient } from './queries'

export type FeedState = 'off' | 'connecting' | 'live' | 'lost'
const KEEP = 10_000

interface Feed {
  state: FeedState
  /** Newest first. */
  rows: EventRow[]
  /** Rows that arrived since the feed was first opened. */
  arrived: number
  /** When the last thing arrived, in milliseconds. */
  last: number
}

let feed: Feed = { state: 'off', rows: [], arrived: 0, last: 0 }
let source: EventSource | undefined
let again: ReturnType<typeof setTimeout> | undefined
let flush: ReturnType<typeof setTimeout> | undefined
let tries = 0
let lossAt = 0
const waiting: EventRow[] = []
const seen = new Set<string>()
const listeners = new Set<() => void>()

function publish(change: Partial<Feed>) {
  feed = { ...feed, ...change }
  for (const listener of listeners) listener()
}

function drain() {
  flush = undefined
  if (waiting.length === 0) return
  const fresh = waiting.splice(0).filter((row) => !seen.has(row.event_id) && seen.add(row.event_id))
  if (fresh.length === 0) return
  const rows = [...fresh, ...feed.rows].sort((a, b) => b.row - a.row)
  for (const dropped of rows.splice(KEEP)) seen.delete(dropped.event_id)
  publish({ rows, arrived: told, last: Date.now() })
}

let told = 0
function add(rows: EventRow[], live: boolean) {
  waiting.push(...rows)
  if (live) told += rows.length
  // Many rows in one frame are one update.
  flush ??= setTimeout(drain, 120)
}

const stale = new Map<string, ReturnType<typeof setTimeout>>()
function nudge(...keys: string[]) {
  for (const key of keys) {
    if (stale.has(key)) continue
    stale.set(
      key,
      setTimeout(() => {
        stale.delete(key)
        void queryClient.invalidateQueries({ queryKey: [key] })
      }, 400),
    )
  }
}

async function fill() {
  try {
    const page = await take(api.GET('/api/v1/events', { params: { query: { limit: '200' } } }))
    add(page.rows, false)
  } catch {
    // The feed's own state already says that the server is away.
  }
}

function open() {
  clearTimeout(again)
  source?.close()
  publish({ state: feed.state === 'lost' ? 'lost' : 'connecting' })
  const next = new EventSource('/api/v1/live')
  source = next
  next.onopen = () => {
    tries = 0
    const after = lossAt
    lossAt = 0
    publish({ state: 'live', last: Date.now() })
    if (after || feed.rows.length === 0) void fill()
    if (after) void queryClient.invalidateQueries()
  }
  next.addEventListener('event', (message) => {
    add([JSON.parse(message.data) as EventRow], true)
  })
  next.addEventListener('alert', () => nudge('alerts', 'overview'))
  next.addEventListener('approval', () => nudge('approvals', 'overview'))
  next.onerror = () => {
    lossAt ||= Date.now()
    publish({ state: 'lost' })
    if (next.readyState === EventSource.CLOSED) {
      tries += 1
      again = setTimeout(open, Math.min(15_000, 800 * 2 ** Math.min(tries, 5)))
    }
  }
}

export function startFeed() {
  if (!source) open()
}
export function retryFeed() {
  tries = 0
  open()
}
export function stopFeed() {
  clearTimeout(again)
  source?.close()
  source = undefined
  waiting.length = 0
  seen.clear()
  told = 0
  publish({ state: 'off', rows: [], arrived: 0, last: 0 })
}

export function useFeed(): Feed {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    () => feed,
  )
}
