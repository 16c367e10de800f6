import { useMutation, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState, type FormEvent } from 'react'
import { api, may, take, type Alert, type AlertChange } from '../api/client'
import { alertsQuery, detectionsQuery, eventQuery, machinesQuery, queryClient } from '../api/queries'
import { forbidden, Page, useMe } from '../app/App'
import { useKey } from '../app/keys'
import { Icon } from '../ui/icons'
import { Dialog, toast } from '../ui/overlay'
import { typing } from '../ui/rows'
import { count, MachineState, SafeText, Severity, some, Time, Verdict } from '../ui/show'
import { Empty, Failed, Loading, Problem } from '../ui/states'
import { absolute, length } from '../ui/time'
import { eventName } from './EventDrawer'
import { Quarantine } from './quarantine'

const tabs = [['open', 'Open'], ['acknowledged', 'Acknowledged'], ['closed', 'Closed'], ['all', 'All']] as const
const dispositions: Record<string, string> = { true_positive: 'True: it was what it looked like', false_positive: 'False: the rule was wrong', accepted: 'Accepted: real, and allowed' }

export function Alerts() {
  const alerts = useQuery(alertsQuery)
  const params = useSearch({ from: '/alerts' }) as { status?: string; id?: string }
  const navigate = useNavigate()
  const all = alerts.data?.alerts ?? []
  const picked = params.id ? all.find((alert) => alert.id === params.id) : undefined
  const status = params.status ?? picked?.status ?? 'open'
  const list = useMemo(() => all.filter((alert) => status === 'all' || alert.status === status), [all, status])
  // What is looked at stays when a newer alert comes: a note or an act must not go to another one.
  const [shown, setShown] = useState<string>()
  const chosen = picked ?? list.find((alert) => alert.id === shown) ?? list[0]
  useEffect(() => setShown(chosen?.id), [chosen?.id])
  const pick = useCallback((alert: Alert) => void navigate({ to: '/alerts', replace: true, search: { status, id: alert.id } }), [navigate, status])
  useEffect(() => {
    function key(event: KeyboardEvent) {
      if (event.defaultPrevented || typing(event.target) || document.querySelector('dialog[open]') || (event.key !== 'j' && event.key !== 'k')) return
      const at = list.findIndex((alert) => alert.id === chosen?.id)
      const next = list[Math.min(list.length - 1, Math.max(0, at + (event.key === 'j' ? 1 : -1)))]
      if (next) {
        pick(next)
        document.getElementById(`alert-${next.id}`)?.scrollIntoView({ block: 'nearest' })
      }
    }
    window.addEventListener('keydown', key)
    return () => window.removeEventListener('keydown', key)
  }, [list, chosen?.id, pick])

  return (
    <Page
      title="Alerts" fill sub="What detection rules raised, newest first"
      actions={
        <div className="segs" role="group" aria-label="Status">
          {tabs.map(([name, label]) => (
            <button key={name} type="button" aria-pressed={status === name} onClick={() => void navigate({ to: '/alerts', search: { status: name } })}>
              {label} <span className="n">{count(name === 'all' ? all.length : all.filter((alert) => alert.status === name).length)}</span>
            </button>
          ))}
        </div>
      }
    >
      {alerts.isError && !alerts.data ? <Failed problem={alerts.error} retry={() => void alerts.refetch()} /> : (
        <div className="split">
          <div className="master">
            {alerts.isPending ? <Loading /> : list.length === 0 ? (
              <Empty icon="check" title={status === 'open' ? 'Nothing is open' : 'Nothing here'} action={<Link to="/settings" search={{ tab: 'channels' }} className="btn small">Channels</Link>}>
                {status === 'open' ? 'Make sure that somebody is told when that changes: set up a notification channel.' : 'No alert has this status.'}
              </Empty>
            ) : (
              <ul aria-label="Alerts">
                {list.map((alert) => (
                  <li key={alert.id} id={`alert-${alert.id}`}>
                    <button type="button" aria-current={alert.id === chosen?.id || undefined} onClick={() => pick(alert)}>
                      <Severity severity={alert.severity} />
                      <b className="ellipsis"><SafeText>{alert.title}</SafeText></b>
                      <span className="muted"><Time at={alert.occurred} /></span>
                      <span className="line ellipsis">
                        <SafeText>{[alert.user, alert.hostname].filter(Boolean).join(' on ') || 'organisation'}</SafeText>
                        {alert.count > 1 && ` · ${count(alert.count)} times`}
                        {alert.assignee && <> · assigned to <SafeText>{alert.assignee}</SafeText></>}
                      </span>
                    </button>
                  </li>
                ))}
              </ul>
            )}
          </div>
          {chosen ? <Detail key={chosen.id} alert={chosen} /> : <div className="detail"><Empty icon="alert" title="Choose an alert">Its events, times and actions stand here.</Empty></div>}
        </div>
      )}
    </Page>
  )
}

function Detail({ alert }: { alert: Alert }) {
  const me = useMe()
  const allowed = may(me, 'security')
  const why = forbidden(me, allowed)
  const [dialog, setDialog] = useState<'close' | 'assign' | 'quarantine' | null>(null)
  const [note, setNote] = useState('')
  const machines = useQuery(machinesQuery)
  const machine = machines.data?.machines.find((candidate) => candidate.machine_id === alert.machine_id)
  const rule = useQuery(detectionsQuery).data?.detections.find((candidate) => candidate.id === alert.detection)
  const change = useMutation({
    mutationFn: (body: AlertChange) => take(api.POST('/api/v1/alerts/{id}', { params: { path: { id: alert.id } }, body })),
    onSuccess: (_, body) => {
      void queryClient.invalidateQueries({ queryKey: ['alerts'] })
      void queryClient.invalidateQueries({ queryKey: ['overview'] })
      if (body.status) toast(`The alert is ${body.status === 'open' ? 'open again' : body.status}`)
      setDialog(null)
    },
  })
  const acknowledge = useCallback(() => change.mutate({ status: 'acknowledged', assignee: me?.login }), [change, me])
  useKey('a', acknowledge, allowed && alert.status === 'open' && !change.isPending)
  function addNote(event: FormEvent) {
    event.preventDefault()
    if (note.trim()) change.mutate({ note: note.trim() }, { onSuccess: () => setNote('') })
  }
  const delay = alert.notified ? Date.parse(alert.notified) - Date.parse(alert.occurred) : null
  return (
    <section className="detail" aria-label="Alert">
      <div className="detail-body" tabIndex={0} role="region" aria-label="Details of the alert">
        <div className="stack">
          <div className="row wrap">
            <Severity severity={alert.severity} />
            <span className="tag outline">{alert.status}</span>
            {alert.disposition && <span className="tag">{dispositions[alert.disposition]?.split(':')[0] ?? alert.disposition}</span>}
            <span className="spring" />
            <span className="mono muted"><SafeText>{alert.detection}</SafeText></span>
          </div>
          <h2 className="title"><SafeText>{alert.title}</SafeText></h2>
          <p className="soft"><SafeText>{alert.summary}</SafeText></p>
        </div>
        <div className="row wrap">
          {alert.status === 'open' && <button type="button" className="btn primary" disabled={!allowed || change.isPending} title={why ?? 'Acknowledge and take it (a)'} onClick={acknowledge}><Icon name="check" size={14} />Acknowledge</button>}
          {alert.status !== 'closed' && <button type="button" className={alert.status === 'open' ? 'btn' : 'btn primary'} disabled={!allowed} title={why} onClick={() => setDialog('close')}>Close…</button>}
          {alert.status === 'closed' && <button type="button" className="btn" disabled={!allowed} title={why} onClick={() => change.mutate({ status: 'open' })}>Open again</button>}
          <button type="button" className="btn" disabled={!allowed} title={why} onClick={() => setDialog('assign')}><Icon name="user" size={14} />Assign…</button>
          {alert.machine_id && machine?.state !== 'quarantined' && <button type="button" className="btn danger" disabled={!allowed} title={why} onClick={() => setDialog('quarantine')}><Icon name="lock" size={14} />Quarantine machine…</button>}
          {machine?.state === 'quarantined' && <Link className="btn" to="/fleet" search={{ id: machine.machine_id }}><Icon name="lock" size={14} />In quarantine</Link>}
        </div>
        {dialog === null && change.isError && <Problem problem={change.error} />}
        <div className="facts">
          <div><span>Person</span><b>{alert.user ? <Link to="/search" search={{ q: `user:${alert.user}`, range: '7d' }}><SafeText>{alert.user}</SafeText></Link> : '–'}</b></div>
          <div><span>Machine</span><b>{alert.machine_id ? <Link to="/fleet" search={{ id: alert.machine_id }}><SafeText>{alert.hostname ?? alert.machine_id}</SafeText></Link> : '–'}</b></div>
          <div><span>Times</span><b>{count(alert.count)}</b></div>
          <div><span>Assigned to</span><b><SafeText>{alert.assignee ?? 'nobody'}</SafeText></b></div>
        </div>
        <section className="sect">
          <h3>From the command to being told</h3>
          <ol className="lineage">
            <li>Happened <span>{absolute(alert.occurred)}</span></li>
            <li className="amber">Raised <span>{length(Date.parse(alert.created) - Date.parse(alert.occurred))} after it happened</span></li>
            <li className={alert.notified ? 'green' : ''}>{alert.notified ? <>Told on a channel <span>{length(delay ?? 0)} after it happened</span></> : <>Not told on any channel <span>{<Link to="/settings" search={{ tab: 'channels' }}>set one up</Link>}</span></>}</li>
          </ol>
        </section>
        <section className="sect">
          <h3>Events behind it ({count(alert.event_ids.length)})</h3>
          {alert.event_ids.length === 0 ? <p className="muted">None: the alert is about something that did not happen.</p> : (
            <div className="card" style={{ overflow: 'hidden' }}>
              <ul className="mini-list" style={{ marginTop: -1 }}>
                {alert.event_ids.slice(0, 8).map((id) => <EventLine key={id} id={id} />)}
              </ul>
            </div>
          )}
          {alert.event_ids.length > 8 && alert.user && <Link to="/search" search={{ q: `user:${alert.user}`, range: '24h' }}>All of the person's events</Link>}
        </section>
        <div className="two">
          {rule && (
            <section className="sect">
              <h3>What the rule looks for</h3>
              <p><SafeText>{rule.condition}</SafeText></p>
              <p className="muted">May: <SafeText>{rule.actions.join(', ') || 'raise an alert'}</SafeText></p>
            </section>
          )}
          {machine && (
            <section className="sect">
              <h3>The machine now</h3>
              <div className="row wrap"><MachineState state={machine.state} /><span className="soft">seen <Time at={machine.last_seen} /></span></div>
              <p className="muted">Policy <SafeText>{machine.policy_version || 'none'}</SafeText>{machine.policy_current ? ', the newest' : ', not the newest'}; {some(machine.gaps, 'gap')}, {some(machine.violations, 'violation')} in 24 hours</p>
            </section>
          )}
        </div>
        <section className="sect">
          <h3>Notes</h3>
          {alert.notes.length > 0 && (
            <ul className="notes">
              {alert.notes.map((item, index) => (
                <li key={index}><SafeText>{item.text}</SafeText><br /><span><SafeText>{item.author}</SafeText> · <Time at={item.time} /></span></li>
              ))}
            </ul>
          )}
          <form className="row" onSubmit={addNote}>
            <input className="input" aria-label="Note" placeholder={allowed ? 'Add a note' : why} disabled={!allowed} value={note} maxLength={4000} onChange={(event) => setNote(event.target.value)} />
            <button type="submit" className="btn" disabled={!allowed || !note.trim() || change.isPending}>Add</button>
          </form>
        </section>
      </div>
      {dialog === 'close' && <CloseDialog problem={change.error} busy={change.isPending} onClose={() => { change.reset(); setDialog(null) }} onSend={(body) => change.mutate(body)} />}
      {dialog === 'assign' && <AssignDialog me={me?.login ?? ''} now={alert.assignee ?? ''} problem={change.error} busy={change.isPending} onClose={() => { change.reset(); setDialog(null) }} onSend={(assignee) => change.mutate({ assignee })} />}
      {dialog === 'quarantine' && alert.machine_id && <Quarantine on machineId={alert.machine_id} hostname={alert.hostname ?? alert.machine_id} onClose={() => setDialog(null)} />}
    </section>
  )
}

function EventLine({ id }: { id: string }) {
  const event = useQuery(eventQuery(id))
  const data = event.data
  return (
    <li>
      {data ? (
        <>
          {data.policy_evaluation?.decision && <Verdict decision={data.policy_evaluation.decision} />}
          <Link className="spring ellipsis" style={{ color: 'var(--text)' }} to="/search" search={{ q: data.context?.session_id ? `session:${data.context.session_id}` : undefined, range: '90d', event: id }}>
            {data.command?.text ? <span className="mono"><SafeText>{data.command.text}</SafeText></span> : <><b>{eventName(data.event_type)}</b> <span className="soft"><SafeText>{Object.values(data.detail ?? {}).join(', ')}</SafeText></span></>}
          </Link>
          <span className="muted"><Time at={data.time} /></span>
        </>
      ) : event.isError ? <span className="muted">Event <span className="mono">{id}</span> is not to be read</span> : <div className="skeleton" style={{ height: 14, width: '70%' }} />}
    </li>
  )
}

function CloseDialog({ onClose, onSend, problem, busy }: { onClose: () => void; onSend: (body: AlertChange) => void; problem: unknown; busy: boolean }) {
  const [disposition, setDisposition] = useState('')
  const [note, setNote] = useState('')
  return (
    <Dialog title="Close the alert" onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); onSend({ status: 'closed', disposition, ...(note.trim() ? { note: note.trim() } : {}) }) }}>
        <div className="dlg-body">
          <fieldset style={{ border: 0, padding: 0, margin: 0, display: 'flex', flexDirection: 'column', gap: 7 }}>
            <legend className="field-label" style={{ marginBottom: 6 }}>How did it end?</legend>
            {Object.entries(dispositions).map(([value, label]) => (
              <label key={value} className="row"><input type="radio" name="disposition" required value={value} checked={disposition === value} onChange={() => setDisposition(value)} />{label}</label>
            ))}
          </fieldset>
          <label className="field"><span>Note</span><textarea className="input" rows={3} value={note} maxLength={4000} onChange={(event) => setNote(event.target.value)} placeholder="What was found, and what was done" /></label>
          <Problem problem={problem} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={!disposition || busy}>Close the alert</button>
        </div>
      </form>
    </Dialog>
  )
}

function AssignDialog({ me, now, onClose, onSend, problem, busy }: { me: string; now: string; onClose: () => void; onSend: (assignee: string) => void; problem: unknown; busy: boolean }) {
  const [who, setWho] = useState(now || me)
  return (
    <Dialog title="Assign the alert" onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); onSend(who.trim()) }}>
        <div className="dlg-body">
          <label className="field"><span>Login</span><input className="input" autoFocus value={who} onChange={(event) => setWho(event.target.value)} required /></label>
          {who !== me && <button type="button" className="linkish" onClick={() => setWho(me)}>Take it myself</button>}
          <Problem problem={problem} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={!who.trim() || busy}>Assign</button>
        </div>
      </form>
    </Dialog>
  )
}
