import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useMemo } from 'react'
import { may, type ControlResult, type EvidenceItem, type Report } from '../api/client'
import { frameworksQuery, reportQuery } from '../api/queries'
import { forbidden, Page, useMe } from '../app/App'
import { Icon } from '../ui/icons'
import { CopyBox, count, Hash, percent, SafeText, some, Time, Verdict } from '../ui/show'
import { Empty, Failed, Loading } from '../ui/states'
import { absolute, dayOf, shortTime } from '../ui/time'

interface Period {
  name: string
  from: string
  to: string
}
const iso = (year: number, month: number, day = 1) => new Date(Date.UTC(year, month, day)).toISOString()
/** Quarters and the time up to now, in UTC like everything recorded. */
function periods(now: Date): Period[] {
  const year = now.getUTCFullYear()
  const first = Math.floor(now.getUTCMonth() / 3) * 3
  const today = iso(year, now.getUTCMonth(), now.getUTCDate() + 1)
  const before = new Date(Date.UTC(year, first - 3, 1))
  return [
    { name: '30 days', from: iso(year, now.getUTCMonth(), now.getUTCDate() - 29), to: today },
    { name: `Q${first / 3 + 1} so far`, from: iso(year, first), to: today },
    { name: `Q${Math.floor(before.getUTCMonth() / 3) + 1} ${before.getUTCFullYear()}`, from: before.toISOString(), to: iso(year, first) },
    { name: `${year} so far`, from: iso(year, 0), to: today },
  ]
}

export function Reports() {
  const params = useSearch({ from: '/reports' }) as { framework?: string; from?: string; to?: string; control?: string }
  const navigate = useNavigate()
  const me = useMe()
  const allowed = may(me, 'auditor')
  const frameworks = useQuery(frameworksQuery)
  const choices = useMemo(() => periods(new Date()), [])
  const from = params.from ?? choices[0]?.from ?? ''
  const to = params.to ?? choices[0]?.to ?? ''
  const framework = params.framework ?? frameworks.data?.frameworks[0]?.id ?? ''
  const report = useQuery({ ...reportQuery(framework, from, to), enabled: allowed && framework !== '' })
  const span = `from=${encodeURIComponent(from)}&to=${encodeURIComponent(to)}`
  const set = (change: object) => void navigate({ to: '/reports', search: { framework, from, to, ...change } })
  return (
    <Page
      title="Reports" sub="What was tested and what was found; an auditor draws the conclusion"
      actions={allowed && framework ? (
        <>
          <a className="btn" href={`/api/v1/export?${span}`} download={`cmdai-${from.slice(0, 10)}-${to.slice(0, 10)}.jsonl`}><Icon name="download" size={14} />Evidence (JSON Lines)</a>
          <a className="btn primary" href={`/api/v1/reports/${encodeURIComponent(framework)}/html?${span}`} target="_blank" rel="noopener noreferrer"><Icon name="print" size={14} />Print</a>
        </>
      ) : undefined}
    >
      {frameworks.isPending ? <Loading /> : frameworks.isError ? <Failed problem={frameworks.error} retry={() => void frameworks.refetch()} /> : (
        <div className="report">
          <div className="stack" style={{ position: 'sticky', top: 0 }}>
            <div className="card fw" style={{ padding: 6 }}>
              {frameworks.data.frameworks.map((item) => (
                <button key={item.id} type="button" aria-current={item.id === framework || undefined} onClick={() => set({ framework: item.id })}>
                  <b><SafeText>{item.title}</SafeText></b>
                  <small><SafeText>{item.edition}</SafeText> · {item.controls} controls</small>
                </button>
              ))}
            </div>
            <div className="card fw" style={{ padding: 6 }}>
              {choices.map((choice) => (
                <button key={choice.name} type="button" aria-current={(choice.from === from && choice.to === to) || undefined} onClick={() => set({ from: choice.from, to: choice.to })}>
                  <b style={{ fontWeight: 540 }}>{choice.name}</b>
                  <small>{dayOf(choice.from)} – {dayOf(Date.parse(choice.to) - 1)}</small>
                </button>
              ))}
              <div className="row" style={{ padding: '8px 12px 6px', gap: 6, flexWrap: 'wrap' }}>
                <label className="field spring"><span>From</span><input className="input" type="date" value={from.slice(0, 10)} max={to.slice(0, 10)} onChange={(event) => event.target.value && set({ from: `${event.target.value}T00:00:00.000Z` })} /></label>
                <label className="field spring"><span>To, not included</span><input className="input" type="date" value={to.slice(0, 10)} min={from.slice(0, 10)} onChange={(event) => event.target.value && set({ to: `${event.target.value}T00:00:00.000Z` })} /></label>
              </div>
            </div>
          </div>
          {!allowed ? <div className="card"><Empty icon="lock" title="Reports are for auditors and administrators">{forbidden(me, allowed)}.</Empty></div>
            : frameworks.data.frameworks.length === 0 ? <div className="card"><Empty icon="report" title="No framework">This server has no control maps.</Empty></div>
            : report.data ? <Sheet report={report.data} control={params.control} />
            : report.isError ? <div className="card"><Failed problem={report.error} retry={() => void report.refetch()} /></div>
            : <div className="card"><Loading rows={14} label="Gathering evidence" /></div>}
        </div>
      )}
    </Page>
  )
}

function Sheet({ report, control }: { report: Report; control?: string }) {
  const { completeness } = report
  const covered = report.controls.filter((item) => item.evidence.some((evidence) => evidence.rows > 0)).length
  const odd = report.controls.reduce((sum, item) => sum + item.evidence.reduce((n, evidence) => n + evidence.exceptions.length, 0), 0)
  const name = `${report.from.slice(0, 10)}-${report.to.slice(0, 10)}`
  return (
    <div className="stack" style={{ gap: 12 }}>
      <section className="card" style={{ padding: '15px 18px' }}>
        <div className="row wrap" style={{ alignItems: 'baseline' }}>
          <h2 style={{ fontSize: 16 }}><SafeText>{report.framework.title}</SafeText> <span className="muted" style={{ fontWeight: 450 }}><SafeText>{report.framework.edition}</SafeText></span></h2>
          <span className="spring" />
          <span className="muted">made <Time at={report.generated} /> by <SafeText>{report.generated_by}</SafeText></span>
        </div>
        <p className="soft" style={{ margin: '2px 0 13px' }}><SafeText>{report.organisation}</SafeText>, {dayOf(report.from)} – {dayOf(Date.parse(report.to) - 1)}</p>
        <div className="facts">
          <div><span>Controls with evidence</span><b>{covered} of {report.controls.length}</b></div>
          <div><span>Events in the period</span><b>{count(report.events)}</b></div>
          <div><span>Commands within policy</span><b>{percent(report.compliance)} %</b></div>
          <div><span>Stand out</span><b>{odd === 0 ? 'nothing' : count(odd)}</b></div>
        </div>
      </section>
      <section className="card" style={{ padding: '13px 18px 15px' }}>
        <div className="row" style={{ marginBottom: 8 }}>
          <h2>Is everything there?</h2>
          <span className="spring" />
          {completeness.verified ? <span className="tag green"><Icon name="check" size={12} />chains and ledger fit</span> : <span className="tag red"><Icon name="deny" size={12} />chains or ledger do not fit</span>}
        </div>
        <p className="soft">
          {some(completeness.machines, 'machine')} reported. {completeness.gaps === 0 ? 'No record is missing in their chains.' : <>{some(completeness.gaps, 'gap')} with {some(completeness.missing, 'missing record')}; <Link to="/search" search={{ q: 'type:gap', from: report.from, to: report.to }}>each is an event of its own</Link>.</>} The ledger held {count(completeness.tree_size)} events at the end, root <Hash value={completeness.root} keep={20} />
        </p>
        <details style={{ marginTop: 8 }}>
          <summary>Check it without trusting this server</summary>
          <div className="stack">
            <p className="soft">Download the evidence, then let the verifier recompute every chain and the tree on another machine. It exits with 0 only where everything fits.</p>
            <CopyBox text={`cmdai-enterprise verify cmdai-${name}.jsonl`} label="Copy the command" />
          </div>
        </details>
      </section>
      <section className="card" style={{ overflow: 'hidden' }}>
        <div className="card-head"><h2>Controls</h2><span className="more">{report.controls.length}</span></div>
        {report.controls.map((item) => <Control key={item.id} control={item} open={item.id === control} report={report} />)}
      </section>
    </div>
  )
}

function Control({ control, open, report }: { control: ControlResult; open: boolean; report: Report }) {
  const rows = control.evidence.reduce((sum, evidence) => sum + evidence.rows, 0)
  const held = control.evidence.filter((evidence) => evidence.rows > 0).length
  const odd = control.evidence.reduce((sum, evidence) => sum + evidence.exceptions.length, 0)
  return (
    <details className="control" open={open}>
      <summary>
        <Icon name="chevron" size={13} />
        <b className="mono"><SafeText>{control.id}</SafeText></b>
        <span className="ellipsis"><SafeText>{control.title}</SafeText></span>
        <span className="row">{odd > 0 ? <span className="tag amber">{odd} {odd === 1 ? 'stands out' : 'stand out'}</span> : held === 0 ? <span className="tag">no evidence</span> : held < control.evidence.length ? <span className="tag">{held} of {control.evidence.length} with rows</span> : <span className="tag green"><Icon name="check" size={12} />evidence</span>}</span>
        <span className="num soft">{count(rows)}</span>
      </summary>
      <div className="inside">
        <p className="soft"><SafeText>{control.asks}</SafeText></p>
        {control.evidence.map((evidence) => <Evidence key={evidence.id} item={evidence} report={report} />)}
      </div>
    </details>
  )
}

function Evidence({ item, report }: { item: EvidenceItem; report: Report }) {
  return (
    <div className="evid">
      <div className="row wrap">
        <span className="tag mono"><SafeText>{item.id}</SafeText></span>
        <b><SafeText>{item.title}</SafeText></b>
        <span className="spring" />
        {item.seed ? <Link to="/search" search={{ q: item.query, from: report.from, to: report.to }}>{some(item.rows, 'row')}</Link> : <span className="soft">{some(item.rows, 'row')}</span>}
      </div>
      {item.exceptions.map((text) => <div key={text} className="row" style={{ color: 'var(--amber)', alignItems: 'flex-start' }}><Icon name="warn" size={14} /><SafeText>{text}</SafeText></div>)}
      {item.sample.length > 0 && (
        <div style={{ overflowX: 'auto' }} tabIndex={0} role="region" aria-label={`Sample of ${item.id}`}>
          <table className="plain">
            <thead><tr><th>When</th><th>Verdict</th><th>Command or event</th><th>Person</th><th>Machine</th></tr></thead>
            <tbody>
              {item.sample.slice(0, 25).map((row) => (
                <tr key={row.event_id}>
                  <td className="soft nowrap"><time dateTime={row.time} title={absolute(row.time)}>{shortTime(row.time)}</time></td>
                  <td><Verdict decision={row.decision} /></td>
                  <td className="wrap-any"><Link className="mono" style={{ color: 'var(--text)' }} to="/search" search={{ q: item.query, from: report.from, to: report.to, event: row.event_id }}><SafeText>{row.text}</SafeText></Link></td>
                  <td><SafeText>{row.user}</SafeText></td>
                  <td className="soft"><SafeText>{row.hostname}</SafeText></td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <dl className="kv" style={{ fontSize: 11.5 }}>
        <dt>Query</dt><dd className="mono"><SafeText>{item.query || 'everything'}</SafeText></dd>
        <dt>SHA-256 of the rows</dt><dd><Hash value={item.sha256} keep={40} /></dd>
        <dt>Sample</dt><dd>{item.seed ? <>{item.sample.length} drawn with seed <Hash value={item.seed} keep={24} /></> : 'everything was checked, nothing drawn'}</dd>
      </dl>
    </div>
  )
}
