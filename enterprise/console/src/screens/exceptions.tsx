// Exceptions that are open, and what people did by break-glass.
import { useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { api, may, take, withCode, type Emergency, type ExceptionView } from '../api/client'
import { emergenciesQuery, exceptionsQuery, queryClient } from '../api/queries'
import { forbidden, useMe } from '../app/App'
import { Dialog, Proof, StepUp, toast } from '../ui/overlay'
import { count, RiskTag, SafeText, Time } from '../ui/show'
import { Empty, Failed, Loading, Problem } from '../ui/states'

const look: Record<string, string> = { active: 'amber', revoked: '', expired: '', due: 'amber', late: 'red', reviewed: 'green' }

export function Exceptions() {
  const query = useQuery(exceptionsQuery)
  const me = useMe()
  const [gone, setGone] = useState<ExceptionView | null>(null)
  if (query.isPending) return <Loading />
  if (query.isError && !query.data) return <Failed problem={query.error} retry={() => void query.refetch()} />
  const list = query.data?.exceptions ?? []
  if (list.length === 0) return <Empty icon="approve" title="No rule is lifted for anybody">A person asks with <span className="mono">cmdai request --rule ID --for 7d</span>; it comes to the inbox like any other request, and always ends.</Empty>
  const allowed = may(me, 'security')
  return (
    <section className="card" style={{ overflow: 'hidden' }}>
      <div className="card-body">
        <table className="plain">
          <thead><tr><th>Who and where</th><th>Lifts</th><th>Approved</th><th>Ends</th><th>Last used</th><th>State</th><th><span className="hidden-visually">Actions</span></th></tr></thead>
          <tbody>
            {list.map((one) => (
              <tr key={one.id}>
                <td><b><SafeText>{one.user}</SafeText></b><br /><span className="muted"><SafeText>{one.hostname}</SafeText></span></td>
                <td className="wrap-any">
                  <span className="mono"><SafeText>{one.lifts.rules.join(', ')}</SafeText></span>
                  {one.lifts.pattern && <div className="soft">only <span className="mono"><SafeText>{one.lifts.pattern}</SafeText></span></div>}
                  {one.lifts.directory && <div className="soft">in <span className="mono"><SafeText>{one.lifts.directory}</SafeText></span></div>}
                  {one.reason && <div className="soft"><SafeText>{one.reason}</SafeText></div>}
                </td>
                <td className="soft"><SafeText>{one.approvers.join(', ')}</SafeText><br /><Time at={one.approved} /></td>
                <td className="soft"><Time at={one.until} /></td>
                <td className="soft">{one.last_used ? <><Time at={one.last_used} />, {count(one.uses)} times</> : 'never'}</td>
                <td><span className={`tag ${look[one.status] ?? ''}`}>{one.status}</span>{one.revoked_by && <div className="soft">by <SafeText>{one.revoked_by}</SafeText></div>}</td>
                <td>{one.status === 'active' && <div className="row" style={{ justifyContent: 'flex-end' }}><button type="button" className="btn small danger" disabled={!allowed} title={forbidden(me, allowed)} onClick={() => setGone(one)}>Take back…</button></div>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {gone && (
        <StepUp
          title="Take the exception back" action="Take back" danger
          intro={<p>The rules stand again for <b><SafeText>{gone.user}</SafeText></b> on <b><SafeText>{gone.hostname}</SafeText></b> from the machine's next contact on.</p>}
          send={(values) => take(api.POST('/api/v1/exceptions/{id}/revoke', { params: { path: { id: gone.id } }, body: values }))}
          onClose={() => setGone(null)}
          onDone={() => {
            toast('The exception is taken back')
            void queryClient.invalidateQueries({ queryKey: ['exceptions'] })
            setGone(null)
          }}
        />
      )}
    </section>
  )
}

export function Emergencies() {
  const query = useQuery(emergenciesQuery)
  const me = useMe()
  const [looked, setLooked] = useState<Emergency | null>(null)
  if (query.isPending) return <Loading />
  if (query.isError && !query.data) return <Failed problem={query.error} retry={() => void query.refetch()} />
  const list = query.data?.emergencies ?? []
  if (list.length === 0) return <Empty icon="approve" title="Nobody used break-glass">Where the policy says <span className="mono">break_glass: true</span>, a person may go ahead in an emergency with a reason. It stands here until somebody else has reviewed it.</Empty>
  const allowed = may(me, 'security')
  return (
    <div className="cards">
      {list.map((one) => (
        <article key={one.id} className="card ask" aria-label={`Emergency of ${one.user}`}>
          <div className="ask-head">
            <RiskTag risk={one.risk} />
            <span className={`tag ${look[one.status] ?? ''}`}>{one.status === 'due' ? 'review due' : one.status === 'late' ? 'review late' : 'reviewed'}</span>
            <span className="spring" />
            <span className="muted"><Time at={one.used} /></span>
          </div>
          <div className="ask-body">
            <div className="cmd big"><SafeText>{one.text}</SafeText></div>
            <div className="says"><b><SafeText>{one.user}</SafeText> says</b><SafeText>{one.reason ?? 'nothing'}</SafeText></div>
            <dl className="kv">
              <dt>Machine</dt><dd><SafeText>{one.hostname}</SafeText>, in <span className="mono"><SafeText>{one.cwd}</SafeText></span></dd>
              <dt>Rules</dt><dd className="mono"><SafeText>{one.rules.join(', ')}</SafeText></dd>
              <dt>Review</dt><dd>{one.reviewed_by ? <><b>{one.verdict}</b>, by <SafeText>{one.reviewed_by}</SafeText>: <SafeText>{one.note ?? ''}</SafeText></> : <>due <Time at={one.due} /></>}</dd>
            </dl>
          </div>
          {one.status !== 'reviewed' && <div className="ask-foot"><button type="button" className="btn primary" disabled={!allowed} title={forbidden(me, allowed)} onClick={() => setLooked(one)}>Review…</button></div>}
        </article>
      ))}
      {looked && <ReviewDialog one={looked} onClose={() => setLooked(null)} />}
    </div>
  )
}

function ReviewDialog({ one, onClose }: { one: Emergency; onClose: () => void }) {
  const [verdict, setVerdict] = useState('justified')
  const [note, setNote] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const [problem, setProblem] = useState<unknown>()
  async function submit(event: FormEvent) {
    event.preventDefault()
    try {
      await withCode(code, () => take(api.POST('/api/v1/emergencies/{id}/review', { params: { path: { id: one.id } }, body: { verdict, note: note.trim(), password } })))
      toast('The review is taken down')
      void queryClient.invalidateQueries({ queryKey: ['emergencies'] })
      onClose()
    } catch (cause) {
      setProblem(cause)
    }
  }
  return (
    <Dialog title="Review this emergency" onClose={onClose}>
      <form onSubmit={submit}>
        <div className="dlg-body">
          <div className="cmd"><SafeText>{one.text}</SafeText></div>
          <label className="field"><span>It was</span><select className="input" value={verdict} onChange={(event) => setVerdict(event.target.value)}><option>justified</option><option>unjustified</option></select></label>
          <label className="field"><span>What you found</span><textarea className="input" required rows={3} maxLength={2000} value={note} onChange={(event) => setNote(event.target.value)} /></label>
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} />
          <Problem problem={problem} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={!note.trim() || !password}>Take it down</button>
        </div>
      </form>
    </Dialog>
  )
}
