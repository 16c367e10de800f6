import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { api, take, type EventRow } from '../../api/client'
import { eventsQuery, histogramQuery, type Span } from '../../api/queries'
import { Page } from '../../app/App'
import { useKey } from '../../app/keys'
import { Legend, StackedBars } from '../../ui/chart'
import { download, table } from '../../ui/csv'
import { Icon } from '../../ui/icons'
import { toast } from '../../ui/overlay'
import { Rows } from '../../ui/rows'
import { count, decisionName, SafeText } from '../../ui/show'
import { Empty, Failed, Loading, Problem } from '../../ui/states'
import { shortTime } from '../../ui/time'
import { EventDrawer, eventName } from '../EventDrawer'
import { eventColumns, keyOfEvent } from '../eventColumns'
import { addTerm, hasSince, hasTerm, removeTerm, terms } from './terms'

const HOUR = 3_600_000
const RANGES: [string, number, string][] = [['1h', HOUR, '1 h'], ['24h', 24 * HOUR, '24 h'], ['7d', 168 * HOUR, '7 d'], ['30d', 720 * HOUR, '30 d'], ['90d', 2160 * HOUR, '90 d']]

interface Params {
  q?: string
  range?: string
  from?: string
  to?: string
  event?: string
}

export function Search() {
  const params = useSearch({ from: '/search' }) as Params
  const navigate = useNavigate()
  const go = useCallback((change: Params, replace = false) => void navigate({ to: '/search', replace, search: (before: Params) => ({ ...before, ...change }) }), [navigate])
  const q = params.q ?? ''
  const [text, setText] = useState(q)
  useEffect(() => setText(q), [q])

  // A relative window is fixed when it is chosen, so that pages and chart fit together.
  const [asked, setAsked] = useState(Date.now)
  const range = params.from || params.to ? undefined : hasSince(q) ? undefined : (params.range ?? '24h')
  useEffect(() => setAsked(Date.now()), [q, range])
  const window = useMemo(() => {
    const size = RANGES.find(([name]) => name === range)?.[1] ?? 24 * HOUR
    const to = params.to ? Date.parse(params.to) : asked
    const from = params.from ? Date.parse(params.from) : to - size
    return { from, to, step: Math.max(1000, (to - from) / 60) }
  }, [range, params.from, params.to, asked])
  const what: Span = useMemo(
    () => (params.from || params.to ? { q, from: params.from, to: params.to } : hasSince(q) ? { q } : { q, from: new Date(window.from).toISOString() }),
    [q, params.from, params.to, window.from],
  )
  const events = useInfiniteQuery(eventsQuery(what))
  const histogram = useQuery(histogramQuery({ ...what, to: what.to ?? (hasSince(q) ? undefined : new Date(window.to).toISOString()) }, 60))
  const rows = useMemo(() => events.data?.pages.flatMap((page) => page.rows) ?? [], [events.data])
  const first = events.data?.pages[0]
  const chosen = params.event ?? null
  const open = useCallback((row: EventRow) => go({ event: row.event_id }, true), [go])
  const close = useCallback(() => go({ event: undefined }, true), [go])
  useKey('Escape', close, chosen !== null)
  const columns = useMemo(() => eventColumns({ open, narrow: chosen !== null }), [open, chosen !== null])
  const more = useCallback(() => {
    if (events.hasNextPage && !events.isFetchingNextPage && !events.isError) void events.fetchNextPage()
  }, [events.hasNextPage, events.isFetchingNextPage, events.isError, events.fetchNextPage])
  const setQ = (next: string) => go({ q: next || undefined, event: undefined })
  const rest = terms(q)

  return (
    <Page title="Search" fill sub={first ? <span aria-live="polite">{count(first.total)}{first.total_is_bound ? '+' : ''} events match</span> : 'Every event of every machine'} actions={<ExportButton what={what} disabled={rows.length === 0} />}>
      <form className="toolbar" role="search" onSubmit={(event) => { event.preventDefault(); setAsked(Date.now()); setQ(text.trim()) }}>
        <div className="searchbox code">
          <Icon name="search" size={15} />
          <input className="input" data-search aria-label="Query" placeholder="words   user:alice   program:terraform   decision:deny   -origin:agent   since:90d" value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} autoComplete="off" />
          {!text && <kbd aria-hidden="true">/</kbd>}
        </div>
        <div className="segs" role="group" aria-label="Window">
          {RANGES.map(([name, , label]) => (
            <button key={name} type="button" aria-pressed={range === name} onClick={() => { setAsked(Date.now()); go({ range: name, from: undefined, to: undefined, event: undefined, q: rest.filter((term) => !term.startsWith('since:')).join(' ') || undefined }) }}>{label}</button>
          ))}
        </div>
        <button type="submit" className="btn primary">Search</button>
      </form>
      {(rest.length > 0 || params.from || (first?.problems.length ?? 0) > 0) && (
        <div className="toolbar">
          <div className="chips">
            {(params.from || params.to) && (
              <span className="chip">
                {params.from ? shortTime(params.from) : 'the beginning'} – {params.to ? shortTime(params.to) : 'now'}
                <button type="button" aria-label="Drop the time window" onClick={() => go({ from: undefined, to: undefined })}><Icon name="close" size={12} /></button>
              </span>
            )}
            {rest.map((term, index) => (
              <span className="chip mono" key={`${term}${index}`}>
                <SafeText>{term}</SafeText>
                <button type="button" aria-label={`Drop ${term}`} onClick={() => setQ(removeTerm(q, term))}><Icon name="close" size={12} /></button>
              </span>
            ))}
          </div>
          {first?.problems.map((problem) => <Problem key={problem} problem={problem} />)}
        </div>
      )}
      <section className="card histo" aria-label="Matches over time">
        <div className="row" style={{ minHeight: 20 }}>
          <Legend buckets={histogram.data?.buckets ?? []} />
          <span className="spring" />
          <span className="muted" style={{ fontSize: 11.5 }}>drag to narrow the window</span>
        </div>
        {histogram.data ? (
          <StackedBars buckets={histogram.data.buckets} height={104} label="Matching events over time by decision" onRange={(from, to) => go({ from: new Date(from).toISOString(), to: new Date(to).toISOString(), range: undefined, event: undefined })} />
        ) : histogram.isError ? <Problem problem={histogram.error} /> : <div style={{ height: 104 }} />}
      </section>
      <div className="split">
        {chosen === null && rows.length > 0 && <Facets rows={rows} q={q} onQ={setQ} />}
        {events.isError && rows.length === 0 ? (
          <div className="vt"><Failed problem={events.error} retry={() => void events.refetch()} /></div>
        ) : events.isPending ? (
          <div className="vt"><Loading rows={14} /></div>
        ) : (
          <Rows
            label="Events" columns={columns} rows={rows} keyOf={keyOfEvent} active={chosen} onOpen={open} onEnd={more} minWidth={chosen ? 520 : 860}
            empty={
              <Empty icon="search" title="Nothing matches" action={
                <>
                  {q && <button type="button" className="btn" onClick={() => setQ('')}>Clear the query</button>}
                  {range !== '90d' && <button type="button" className="btn" onClick={() => go({ range: '90d', from: undefined, to: undefined })}>Look at 90 days</button>}
                </>
              }>Drop a term, widen the window, or check the spelling of a field.</Empty>
            }
            foot={
              <>
                <span>{count(rows.length)} of {first ? `${count(first.total)}${first.total_is_bound ? '+' : ''}` : '…'} loaded</span>
                {events.isFetchingNextPage && <span className="row"><Icon name="refresh" size={12} className="spin" />loading more</span>}
                {events.isFetchNextPageError && <span className="row"><span style={{ color: 'var(--red)' }}>more could not be loaded</span> <button type="button" className="btn small" onClick={() => void events.fetchNextPage()}>Try again</button></span>}
                <span className="spring" />
                <span>newest first</span>
              </>
            }
          />
        )}
        {chosen && <EventDrawer id={chosen} onClose={close} />}
      </div>
    </Page>
  )
}

const FACETS: [string, string, (row: EventRow) => string | null | undefined][] = [
  ['Verdict', 'decision', (row) => row.decision],
  ['Person', 'user', (row) => row.user],
  ['Origin', 'origin', (row) => row.origin],
  ['Agent', 'agent', (row) => row.agent],
  ['Rule', 'rule', (row) => row.rule],
  ['Machine', 'machine', (row) => row.hostname],
  ['Type', 'type', (row) => row.event_type],
]

/** Values that stand most often in the rows loaded so far; a click narrows, `−` leaves out. */
function Facets({ rows, q, onQ }: { rows: EventRow[]; q: string; onQ: (q: string) => void }) {
  const groups = useMemo(
    () =>
      FACETS.map(([title, field, read]) => {
        const sums = new Map<string, number>()
        for (const row of rows) {
          const value = read(row)
          if (value) sums.set(value, (sums.get(value) ?? 0) + 1)
        }
        return { title, field, values: [...sums].sort((a, b) => b[1] - a[1]).slice(0, 5) }
      }).filter((group) => group.values.length > 0),
    [rows],
  )
  return (
    <div className="facets" tabIndex={0} role="region" aria-label="Narrow down">
      <div className="muted" style={{ fontSize: 11.5, padding: '0 6px' }}>In the {count(rows.length)} rows loaded</div>
      {groups.map((group) => (
        <div key={group.field}>
          <h3 style={{ paddingLeft: 6 }}>{group.title}</h3>
          <ul>
            {group.values.map(([value, n]) => (
              <li key={value}>
                <button type="button" className="val" aria-pressed={hasTerm(q, group.field, value)} onClick={() => onQ(addTerm(q, group.field, value))}>
                  <span className="ellipsis"><SafeText>{group.field === 'decision' ? (decisionName[value] ?? value) : group.field === 'type' ? eventName(value) : value}</SafeText></span>
                  <span>{n}</span>
                </button>
                <button type="button" className="not" aria-label={`Leave out ${value}`} title="Leave out" onClick={() => onQ(addTerm(q, group.field, value, true))}>−</button>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </div>
  )
}

const EXPORT_MAX = 10_000
/** All matching rows as CSV, page by page, with progress and a way to stop. */
function ExportButton({ what, disabled }: { what: Span; disabled: boolean }) {
  const [done, setDone] = useState<number | null>(null)
  const stop = useRef<AbortController | null>(null)
  useEffect(() => () => stop.current?.abort(), [])
  async function run() {
    const control = new AbortController()
    stop.current = control
    setDone(0)
    const rows: EventRow[] = []
    let cursor: string | undefined
    try {
      do {
        const page = await take(api.GET('/api/v1/events', { params: { query: { q: what.q || undefined, from: what.from, to: what.to, limit: '500', cursor } }, signal: control.signal }))
        rows.push(...page.rows)
        cursor = page.cursor ?? undefined
        setDone(rows.length)
      } while (cursor && rows.length < EXPORT_MAX)
      const head = ['time', 'event_type', 'decision', 'risk', 'rule', 'reason', 'text', 'user', 'team', 'hostname', 'machine_id', 'origin', 'agent', 'exit_code', 'session_id', 'seq', 'event_id']
      download(`cmdai-events-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}.csv`, 'text/csv;charset=utf-8', table(head, rows.map((row) => head.map((name) => row[name as keyof EventRow]))))
      toast(cursor ? `The first ${count(rows.length)} rows were exported; narrow the window for the rest` : `${count(rows.length)} rows were exported`)
    } catch (problem) {
      if (!control.signal.aborted) toast(`The export stopped: ${problem instanceof Error ? problem.message : 'unknown'}`, false)
    } finally {
      setDone(null)
    }
  }
  if (done !== null) {
    return (
      <>
        <span className="muted" role="status">{count(done)} rows…</span>
        <button type="button" className="btn" onClick={() => stop.current?.abort()}><Icon name="close" size={13} />Stop</button>
      </>
    )
  }
  return <button type="button" className="btn" disabled={disabled} onClick={() => void run()}><Icon name="download" size={14} />Export CSV</button>
}
