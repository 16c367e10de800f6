import { useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { api, may, take, type Approval } from '../api/client'
import { approvalsQuery, emergenciesQuery, exceptionsQuery, queryClient } from '../api/queries'
import { forbidden, Page, useMe } from '../app/App'
import { useKey } from '../app/keys'
import { Icon } from '../ui/icons'
import { StepUp, toast } from '../ui/overlay'
import { Copy, count, Hash, Origin, RiskTag, SafeText, Time, useNow } from '../ui/show'
import { Empty, Failed, Loading } from '../ui/states'
import { absolute, length } from '../ui/time'
import { Emergencies, Exceptions } from './exceptions'

const look: Record<string, string> = { pending: 'violet', granted: 'green', consumed: 'green', denied: 'red', expired: '' }

/** The same thing asked again stands on one card: same person, machine and text. */
function repeats(list: Approval[]): [Approval, ...Approval[]][] {
  const groups = new Map<string, [Approval, ...Approval[]]>()
  for (const ask of list) {
    const key = ask.status === 'pending' ? [ask.kind, ask.machine_id, ask.user, ask.text].join('\u0000') : ask.id
    const there = groups.get(key)
    if (there) there.push(ask)
    else groups.set(key, [ask])
  }
  return [...groups.values()]
}

function yes(ask: Approval): string {
  if (ask.needed > 1) return 'Say yes'
  if (ask.kind === 'exception') return 'Approve'
  return ask.uses > 1 ? `Approve for ${ask.uses} uses` : 'Approve once'
}

export function Approvals() {
  const approvals = useQuery(approvalsQuery)
  const params = useSearch({ from: '/approvals' }) as { status?: string; id?: string }
  const navigate = useNavigate()
  const me = useMe()
  const all = approvals.data?.approvals ?? []
  const pending = all.filter((ask) => ask.status === 'pending')
  const tab = params.status === 'exceptions' || params.status === 'emergencies' ? params.status : null
  const exceptions = useQuery(exceptionsQuery)
  const emergencies = useQuery(emergenciesQuery)
  const open = exceptions.data?.exceptions.filter((one) => one.status === 'active').length ?? 0
  const due = emergencies.data?.emergencies.filter((one) => one.status !== 'reviewed').length ?? 0
  const status = params.status === 'decided' || (params.status && params.status !== 'pending') ? 'decided' : 'pending'
  const list = useMemo(
    () => (status === 'pending' ? all.filter((ask) => ask.status === 'pending').sort((a, b) => Date.parse(a.expires) - Date.parse(b.expires)) : all.filter((ask) => ask.status !== 'pending')),
    [all, status],
  )
  const [shown, setShown] = useState(40)
  const said = useRef<Approval | null>(null)
  const [deciding, setDeciding] = useState<{ ask: Approval; approve: boolean } | null>(null)
  const chosen = params.id ?? null
  // Who may answer which request is the policy's word; the server knows the groups.
  const mayAnswer = useCallback((ask: Approval) => me !== undefined && (ask.groups.length === 0 ? may(me, 'security') : ask.groups.some((group) => me.groups.includes(group)) || ask.managers.some((group) => me.groups.includes(group))), [me])
  const groups = useMemo(() => repeats(list), [list])
  const [unfolded, setUnfolded] = useState<string[]>([])
  const current = list.find((ask) => ask.id === chosen)
  const move = useCallback((step: number) => {
    const at = list.findIndex((ask) => ask.id === chosen)
    const next = list[at < 0 ? 0 : Math.min(list.length - 1, Math.max(0, at + step))]
    if (!next) return
    void navigate({ to: '/approvals', replace: true, search: { status, id: next.id } })
    document.getElementById(`ask-${next.id}`)?.scrollIntoView({ block: 'nearest' })
  }, [list, chosen, navigate, status])
  useKey('j', useCallback(() => move(1), [move]))
  useKey('k', useCallback(() => move(-1), [move]))
  useKey('a', () => current && setDeciding({ ask: current, approve: true }), current?.status === 'pending' && mayAnswer(current))
  useKey('d', () => current && setDeciding({ ask: current, approve: false }), current?.status === 'pending' && mayAnswer(current))
  useEffect(() => {
    if (chosen) document.getElementById(`ask-${chosen}`)?.scrollIntoView({ block: 'nearest' })
  }, [chosen, approvals.isPending])

  return (
    <Page
      title="Approvals" sub="A grant is for this command, person, machine and directory, and ends"
      actions={
        <div className="segs" role="group" aria-label="Status">
          <button type="button" aria-pressed={!tab && status === 'pending'} onClick={() => void navigate({ to: '/approvals', search: {} })}>Waiting <span className="n">{count(pending.length)}</span></button>
          <button type="button" aria-pressed={!tab && status === 'decided'} onClick={() => void navigate({ to: '/approvals', search: { status: 'decided' } })}>Decided <span className="n">{count(all.length - pending.length)}</span></button>
          <button type="button" aria-pressed={tab === 'exceptions'} onClick={() => void navigate({ to: '/approvals', search: { status: 'exceptions' } })}>Exceptions <span className="n">{count(open)}</span></button>
          <button type="button" aria-pressed={tab === 'emergencies'} onClick={() => void navigate({ to: '/approvals', search: { status: 'emergencies' } })}>Break-glass <span className="n">{count(due)}</span></button>
        </div>
      }
    >
      {tab === 'exceptions' ? <Exceptions /> : tab === 'emergencies' ? <Emergencies /> : approvals.isPending ? <Loading /> : approvals.isError && !approvals.data ? <Failed problem={approvals.error} retry={() => void approvals.refetch()} /> : list.length === 0 ? (
        <Empty icon="approve" title={status === 'pending' ? 'Nobody waits' : 'Nothing was decided yet'}>
          {status === 'pending' ? 'A rule with the decision require_approval brings a card here, with everything needed to decide. The asking terminal waits, or the person repeats the command later.' : 'Granted, denied and expired requests stay here.'}
        </Empty>
      ) : (
        <div className="cards">
          {groups.slice(0, shown).map(([first, ...more]) => {
            const unfold = unfolded.includes(first.id) || more.some((ask) => ask.id === chosen)
            return [first, ...(unfold ? more : [])].map((ask) => (
              <Card key={ask.id} ask={ask} focused={ask.id === chosen} allowed={mayAnswer(ask)} why={forbidden(me, mayAnswer(ask))} onDecide={(approve) => setDeciding({ ask, approve })}
                more={ask === first && !unfold && more.length > 0 ? <button type="button" className="btn small" onClick={() => setUnfolded([...unfolded, first.id])}>{count(more.length)} more like it</button> : null} />
            ))
          })}
        </div>
      )}
      {!tab && groups.length > shown && <div className="row" style={{ justifyContent: 'center', padding: 16 }}><button type="button" className="btn" onClick={() => setShown(shown + 80)}>Show {count(Math.min(80, groups.length - shown))} more of {count(groups.length - shown)}</button></div>}
      {deciding && (
        <StepUp
          title={deciding.ask.kind === 'exception' ? (deciding.approve ? 'Approve this exception' : 'Deny this exception') : deciding.approve ? 'Approve this command' : 'Deny this command'}
          action={deciding.approve ? yes(deciding.ask) : 'Deny'}
          danger={!deciding.approve}
          reasonHint={deciding.approve ? 'Becomes part of the evidence.' : 'Shown to the person who asked.'}
          intro={
            <>
              <div className="cmd"><SafeText>{deciding.ask.text}</SafeText></div>
              <p><b><SafeText>{deciding.ask.user}</SafeText></b> on <b><SafeText>{deciding.ask.hostname}</SafeText></b>, in <span className="mono"><SafeText>{deciding.ask.cwd || 'any folder'}</SafeText></span></p>
              {deciding.ask.exception && <p>Lifts <b><SafeText>{deciding.ask.exception.rules.join(', ')}</SafeText></b> for {length(deciding.ask.exception.duration_s * 1000)} from now.</p>}
            </>
          }
          send={(values) => take(api.POST('/api/v1/approvals/{id}', { params: { path: { id: deciding.ask.id } }, body: { approve: deciding.approve, binding_hash: deciding.ask.binding_hash, ...values } })).then((after) => { said.current = after })}
          onClose={() => setDeciding(null)}
          onDone={() => {
            const after = said.current
            toast(!deciding.approve ? 'Denied' : after?.status === 'pending' ? `Your yes is taken down: ${after.given} of ${after.needed}` : after?.kind === 'exception' ? 'Approved: the exception begins' : after && after.uses > 1 ? `Approved: it may run ${after.uses} times within the hour` : 'Approved: it may run once')
            for (const key of ['approvals', 'exceptions', 'overview']) void queryClient.invalidateQueries({ queryKey: [key] })
            setDeciding(null)
          }}
        />
      )}
    </Page>
  )
}

function Card({ ask, focused, allowed, why, onDecide, more }: { ask: Approval; focused: boolean; allowed: boolean; why?: string; onDecide: (approve: boolean) => void; more?: ReactNode }) {
  const now = useNow()
  const left = Date.parse(ask.expires) - now
  const waits = ask.status === 'pending'
  const files = Object.entries(ask.files)
  return (
    <article className={`card ask${focused ? ' focused' : ''}`} id={`ask-${ask.id}`} aria-label={`Request of ${ask.user}`}>
      <div className="ask-head">
        <RiskTag risk={ask.risk} />
        <span className={`tag ${look[ask.status] ?? ''}`}>{ask.status === 'consumed' ? 'granted, used' : ask.status}</span>
        {ask.kind !== 'command' && <span className="tag amber">{ask.kind === 'exception' ? 'exception' : 'break-glass'}</span>}
        {waits && ask.needed > 1 && <span className="tag" title="Different people who said yes, of those that it takes">{ask.given} of {ask.needed}</span>}
        {more}
        <span className="spring" />
        {waits ? (
          <span className={`countdown ${left < 120_000 ? 'soon' : 'soft'}`} title={`Lapses ${absolute(ask.expires)}`}>{left > 0 ? `${length(left)} left` : 'lapsed'}</span>
        ) : <span className="muted"><Time at={ask.decided ?? ask.created} /></span>}
      </div>
      <div className="ask-body">
        <div className="row" style={{ alignItems: 'flex-start' }}>
          <div className="cmd big spring"><SafeText>{ask.text}</SafeText></div>
          <Copy text={ask.text} label="Copy the command" />
        </div>
        <div className="says"><b>{ask.reason ? `${ask.user} says` : 'No reason was given'}</b>{ask.reason && <SafeText>{ask.reason}</SafeText>}</div>
        <dl className="kv">
          {ask.exception && (
            <>
              <dt>Lifts</dt>
              <dd>
                <b><SafeText>{ask.exception.rules.join(', ')}</SafeText></b> for {length(ask.exception.duration_s * 1000)}
                {ask.exception.pattern && <div>only <span className="mono"><SafeText>{ask.exception.pattern}</SafeText></span></div>}
                {ask.exception.directory && <div>only in <span className="mono"><SafeText>{ask.exception.directory}</SafeText></span></div>}
              </dd>
            </>
          )}
          <dt>Takes</dt>
          <dd>
            {ask.needed === 1 ? 'one yes' : `${ask.needed} different people`} of <b><SafeText>{ask.groups.length > 0 ? ask.groups.join(', ') : 'the security team'}</SafeText></b>
            {ask.managers.length > 0 && <>, one of <b><SafeText>{ask.managers.join(', ')}</SafeText></b></>}
            {ask.factor === 'webauthn' ? ', each under their own security key' : ask.factor !== 'password' && ', by a second factor'}
            {ask.uses > 1 && `; good for ${ask.uses} uses`}
          </dd>
          {ask.votes.length > 0 && (
            <>
              <dt>Said</dt>
              <dd>{ask.votes.map((vote) => <div key={vote.person}><b><SafeText>{vote.login}</SafeText></b> {vote.approve ? 'yes' : 'no'} <span className="muted">by {vote.factor === 'webauthn' ? 'their security key' : vote.factor}</span>{vote.reason && <span className="soft">: <SafeText>{vote.reason}</SafeText></span>}</div>)}</dd>
            </>
          )}
          <dt>Person</dt>
          <dd className="row wrap"><Link to="/search" search={{ q: `user:${ask.user}`, range: '7d' }}><SafeText>{ask.user}</SafeText></Link><Origin origin={ask.origin} agent={ask.agent} /></dd>
          <dt>Machine</dt>
          <dd><Link to="/fleet" search={{ id: ask.machine_id }}><SafeText>{ask.hostname}</SafeText></Link></dd>
          <dt>Directory</dt>
          <dd><span className="mono"><SafeText>{ask.cwd}</SafeText></span> <span className="muted">{ask.shell}</span></dd>
          <dt>Why</dt>
          <dd><SafeText>{ask.policy_reason}</SafeText></dd>
          <dt>Rules</dt>
          <dd className="row wrap">{ask.rules.map((rule) => <Link key={rule} to="/search" search={{ q: `rule:${rule}`, range: '30d' }}><span className="tag outline mono"><SafeText>{rule}</SafeText></span></Link>)}</dd>
          {ask.effects.length > 0 && <><dt>Effects</dt><dd>{ask.effects.map((effect) => <div key={effect}><SafeText>{effect}</SafeText></div>)}</dd></>}
          {ask.contexts.length > 0 && <><dt>Contexts</dt><dd className="row wrap">{ask.contexts.map((context) => <span key={context} className={`tag ${/prod/i.test(context) ? 'amber' : ''}`}><SafeText>{context}</SafeText></span>)}</dd></>}
          {files.length > 0 && <><dt>Files</dt><dd>{files.map(([file, hash]) => <div key={file} className="row wrap" style={{ gap: '0 8px' }}><span className="mono"><SafeText>{file}</SafeText></span><Hash value={hash} keep={16} /></div>)}</dd></>}
          <dt>Asked</dt>
          <dd><Time at={ask.created} /></dd>
          {!waits && ask.approver && <><dt>Decided by</dt><dd><b><SafeText>{ask.approver}</SafeText></b>{ask.decision_reason && <span className="soft">: <SafeText>{ask.decision_reason}</SafeText></span>}</dd></>}
        </dl>
      </div>
      {waits && (
        <div className="ask-foot">
          <button type="button" className="btn primary" disabled={!allowed || left <= 0} title={why ?? 'Approve (a)'} onClick={() => onDecide(true)}><Icon name="check" size={14} />Approve…</button>
          <button type="button" className="btn danger" disabled={!allowed || left <= 0} title={why ?? 'Deny (d)'} onClick={() => onDecide(false)}><Icon name="deny" size={14} />Deny…</button>
          <span className="spring" />
          <span className="muted mono" style={{ fontSize: 11.5 }}><SafeText>{ask.id}</SafeText></span>
        </div>
      )}
    </article>
  )
}
