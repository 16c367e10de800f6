import { useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import type { EventRow } from '../api/client'
import { useFeed } from '../api/live'
import { Page } from '../app/App'
import { useKey } from '../app/keys'
import { Icon } from '../ui/icons'
import { Rows } from '../ui/rows'
import { count, some, useNow } from '../ui/show'
import { Empty } from '../ui/states'
import { length } from '../ui/time'
import { EventDrawer } from './EventDrawer'
import { eventColumns, keyOfEvent } from './eventColumns'
import { terms } from './search/terms'

type Kind = 'all' | 'stopped' | 'agents' | 'alarms'
const kinds: [Kind, string, (row: EventRow) => boolean][] = [
  ['all', 'Everything', () => true],
  ['stopped', 'Stopped', (row) => row.decision === 'deny' || row.decision === 'require_approval' || row.decision === 'confirm'],
  ['agents', 'AI agents', (row) => row.origin === 'agent'],
  ['alarms', 'Integrity', (row) => ['gap', 'tamper', 'cmdai_disabled', 'policy_refused', 'quarantine_changed', 'sensor_stopped'].includes(row.event_type)],
]

const fields: Record<string, (row: EventRow) => (string | null | undefined)[]> = {
  user: (row) => [row.user], machine: (row) => [row.hostname, row.machine_id], decision: (row) => [row.decision], risk: (row) => [row.risk], type: (row) => [row.event_type],
  origin: (row) => [row.origin], agent: (row) => [row.agent], rule: (row) => [row.rule], session: (row) => [row.session_id], team: (row) => [row.team], program: (row) => [row.text.split(/\s/)[0]],
}
/** The search's language, over what is already here. */
function matches(q: string): (row: EventRow) => boolean {
  const words: [string, boolean][] = []
  // Several values of one field mean any of them, as in the search.
  const asked = new Map<string, { read: (row: EventRow) => (string | null | undefined)[]; values: string[]; negate: boolean }>()
  for (const term of terms(q.toLowerCase())) {
    const negate = term.startsWith('-') && term.length > 1
    const body = negate ? term.slice(1) : term
    const colon = body.indexOf(':')
    const name = colon > 0 ? body.slice(0, colon) : ''
    const read = fields[name]
    if (!read) {
      words.push([body.replaceAll('"', ''), negate])
      continue
    }
    const key = `${negate}${name}`
    const values = body.slice(colon + 1).replaceAll('"', '').split(',').filter(Boolean)
    asked.set(key, { read, negate, values: [...(asked.get(key)?.values ?? []), ...values] })
  }
  return (row) =>
    words.every(([word, negate]) => `${row.text} ${row.user} ${row.hostname}`.toLowerCase().includes(word) !== negate) &&
    [...asked.values()].every(({ read, values, negate }) => values.length === 0 || read(row).some((v) => v && values.includes(v.toLowerCase())) !== negate)
}

/** Median of the newest rows, in milliseconds, where the clocks make sense. */
function typicalLag(rows: EventRow[]): number | null {
  const lags = rows.slice(0, 100).map((row) => Date.parse(row.received) - Date.parse(row.time)).filter((lag) => lag >= 0 && lag < 60_000).sort((a, b) => a - b)
  return lags[Math.floor(lags.length / 2)] ?? null
}

export function Live() {
  const feed = useFeed()
  const params = useSearch({ from: '/live' }) as { q?: string; event?: string }
  const navigate = useNavigate()
  const [kind, setKind] = useState<Kind>('all')
  const [frozen, setFrozen] = useState<{ rows: EventRow[]; at: number } | null>(null)
  const [pins, setPins] = useState<EventRow[]>([])
  const [fresh, setFresh] = useState(0)
  const q = params.q ?? ''
  const chosen = params.event ?? null
  useNow()

  const set = useCallback((change: { q?: string; event?: string }) => void navigate({ to: '/live', replace: true, search: (before: object) => ({ ...before, ...change }) }), [navigate])
  const open = useCallback((row: EventRow) => set({ event: row.event_id }), [set])
  const close = useCallback(() => set({ event: undefined }), [set])
  const toggle = useCallback(() => setFrozen((before) => (before ? null : { rows: feed.rows, at: feed.arrived })), [feed])
  const pin = useCallback((row: EventRow | undefined) => {
    if (row) setPins((before) => (before.some((other) => other.event_id === row.event_id) ? before.filter((other) => other.event_id !== row.event_id) : [...before, row]))
  }, [])
  const base = frozen?.rows ?? feed.rows
  const rows = useMemo(() => {
    const test = kinds.find(([name]) => name === kind)?.[2] ?? (() => true)
    const match = matches(q)
    return base.filter((row) => test(row) && match(row))
  }, [base, kind, q])
  useKey('Escape', close, chosen !== null)
  useKey('p', toggle)
  useKey('x', useCallback(() => pin(base.find((row) => row.event_id === chosen)), [pin, base, chosen]), chosen !== null)
  // Rows above this one were there when the screen opened; newer ones glow once.
  useEffect(() => setFresh(feed.rows[0]?.row ?? 0), [])
  const pinned = useMemo(() => new Set(pins.map((row) => row.event_id)), [pins])
  const columns = useMemo(() => [
    { name: '', width: '24px', cell: (row: EventRow) => <button type="button" className="iconbtn" style={{ width: 24, height: 24 }} aria-pressed={pinned.has(row.event_id)} aria-label={pinned.has(row.event_id) ? 'Unpin' : 'Pin'} title="Pin (x)" onClick={(event) => { event.stopPropagation(); pin(row) }}><Icon name="pin" size={13} /></button> },
    ...eventColumns({ open, clock: true, narrow: chosen !== null }),
  ].map((column, index) => (index === 0 ? { ...column, name: 'Pin' } : column)), [open, chosen !== null, pinned, pin])
  const rate = useMemo(() => feed.rows.filter((row) => Date.now() - Date.parse(row.received) < 60_000).length, [feed, Math.floor(Date.now() / 2000)])
  const lag = useMemo(() => typicalLag(feed.rows), [feed.rows])
  const behind = frozen ? feed.arrived - frozen.at : 0

  return (
    <Page
      title="Live" fill
      sub={frozen ? <span role="status">Paused · {count(behind)} new behind</span> : <span>{feed.state === 'live' ? `${some(rate, 'event')} in the last minute${lag === null ? '' : `, stored ${length(lag)} after the command`}` : feed.state === 'lost' ? 'The feed was lost; it is being opened again' : 'Opening the feed'}</span>}
      actions={<button type="button" className={frozen ? 'btn primary' : 'btn'} onClick={toggle} title="Pause or go on (p)"><Icon name={frozen ? 'play' : 'pause'} size={13} />{frozen ? `Go on${behind > 0 ? ` (${count(behind)})` : ''}` : 'Pause'}</button>}
    >
      <div className="toolbar">
        <div className="searchbox code">
          <Icon name="search" size={15} />
          <input className="input" data-search aria-label="Filter the feed" placeholder="filter: words, user:alice, -origin:script, decision:deny" value={q} onChange={(event) => set({ q: event.target.value || undefined })} spellCheck={false} autoComplete="off" />
          {!q && <kbd aria-hidden="true">/</kbd>}
        </div>
        <div className="segs" role="group" aria-label="Kind">
          {kinds.map(([name, label]) => <button key={name} type="button" aria-pressed={kind === name} onClick={() => setKind(name)}>{label}</button>)}
        </div>
      </div>
      {pins.length > 0 && (
        <div className="card" style={{ marginBottom: 10, flex: 'none' }}>
          <div className="card-head" style={{ minHeight: 32, padding: '6px 14px' }}><Icon name="pin" size={13} className="muted" /><h2>Pinned</h2><span className="more"><button type="button" className="linkish" onClick={() => setPins([])}>Unpin all</button></span></div>
          <ul className="mini-list">
            {pins.slice(-5).map((row) => (
              <li key={row.event_id} style={{ minHeight: 34, padding: '4px 14px' }}>
                {columns.slice(1, 3).map((column) => <span key={column.name} style={{ width: 84 }}>{column.cell(row)}</span>)}
                <span className="spring ellipsis">{columns[3]?.cell(row)}</span>
                <span className="soft">{row.user}</span>
                {columns[0]?.cell(row)}
              </li>
            ))}
          </ul>
        </div>
      )}
      <div className="split">
        <Rows
          label="Live events" columns={columns} rows={rows} keyOf={keyOfEvent} active={chosen} onOpen={open} minWidth={chosen ? 520 : 860} holdTop
          rowClass={(row) => (fresh > 0 && row.row > fresh && !frozen && Date.now() - Date.parse(row.received) < 2000 ? 'fresh' : '')}
          empty={
            base.length > 0
              ? <Empty icon="search" title="Nothing here matches" action={<button type="button" className="btn" onClick={() => { setKind('all'); set({ q: undefined }) }}>Show everything</button>}>The feed goes on behind the filter.</Empty>
              : <Empty icon="live" title={feed.state === 'lost' ? 'No feed' : 'Waiting for the first event'}>Run any command on an enrolled machine; it appears here in under a second.</Empty>
          }
          foot={<><span>{count(rows.length)} rows{rows.length !== base.length ? ` of ${count(base.length)}` : ''}</span><span className="spring" /><span>the newest 10,000 are kept</span></>}
        />
        {chosen && <EventDrawer id={chosen} onClose={close} />}
      </div>
    </Page>
  )
}
