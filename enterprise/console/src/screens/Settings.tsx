import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useState, type FormEvent, type ReactNode } from 'react'
import { api, may, take, withCode, type Channel, type Role, type Schemas, type User } from '../api/client'
import { channelsQuery, deliveriesQuery, detectionsQuery, ledgerQuery, queryClient, tokensQuery, usersQuery } from '../api/queries'
import { Page, useMe } from '../app/App'
import { Icon } from '../ui/icons'
import { Dialog, Proof, toast } from '../ui/overlay'
import { Copy, CopyBox, count, Hash, Hint, SafeText, Severity, Time } from '../ui/show'
import { Empty, Failed, Loading, Problem } from '../ui/states'
import { absolute } from '../ui/time'
import { SignInSettings } from './ownSignIn'

const tabs = [['signin', 'Sign-in'], ['channels', 'Channels'], ['accounts', 'Accounts'], ['tokens', 'API tokens'], ['detections', 'Detections'], ['ledger', 'Ledger']] as const

export function Settings() {
  const params = useSearch({ from: '/settings' }) as { tab?: string }
  const navigate = useNavigate()
  const me = useMe()
  const admin = may(me, 'administrator')
  const tab = tabs.find(([name]) => name === params.tab)?.[0] ?? (admin ? 'channels' : 'tokens')
  return (
    <Page
      title="Settings"
      actions={
        <div className="segs" role="group" aria-label="Section">
          {tabs.map(([name, label]) => <button key={name} type="button" aria-pressed={tab === name} onClick={() => void navigate({ to: '/settings', search: { tab: name } })}>{label}</button>)}
        </div>
      }
    >
      <div className="settings-cols">
        {(tab === 'channels' || tab === 'accounts') && !admin ? <div className="card"><Empty icon="lock" title="For administrators">Your role ({me?.role}) does not allow this.</Empty></div>
          : tab === 'signin' ? <SignInSettings />
          : tab === 'channels' ? <Channels />
          : tab === 'accounts' ? <Accounts self={me?.login ?? ''} />
          : tab === 'tokens' ? <Tokens />
          : tab === 'detections' ? <Detections />
          : <Ledger />}
      </div>
    </Page>
  )
}

function Section({ title, more, children, query }: { title: string; more?: ReactNode; children: ReactNode; query?: { isPending: boolean; isError: boolean; error: unknown; refetch: () => unknown } }) {
  return (
    <section className="card" style={{ overflow: 'hidden' }}>
      <div className="card-head"><h2>{title}</h2><span className="more row">{more}</span></div>
      {query?.isPending ? <Loading rows={4} /> : query?.isError ? <Failed problem={query.error} retry={() => void query.refetch()} /> : <div className="card-body">{children}</div>}
    </section>
  )
}

function Channels() {
  const channels = useQuery(channelsQuery)
  const deliveries = useQuery(deliveriesQuery)
  const [edit, setEdit] = useState<Channel | 'new' | null>(null)
  const [gone, setGone] = useState<Channel | null>(null)
  const test = useMutation({
    mutationFn: (id: string) => take(api.POST('/api/v1/channels/{id}/test', { params: { path: { id } } })),
    onSuccess: (tried, id) => {
      toast(tried.error ? `${id}: ${tried.error}` : `${id} took the test and answered ${tried.status ?? 'nothing'}`, !tried.error)
      void queryClient.invalidateQueries({ queryKey: ['deliveries'] })
    },
    onError: (problem, id) => {
      toast(`${id}: ${problem.message}`, false)
      void queryClient.invalidateQueries({ queryKey: ['deliveries'] })
    },
  })
  const list = channels.data?.channels ?? []
  return (
    <>
      <Section title="Notification channels" query={channels} more={<button type="button" className="btn small" onClick={() => setEdit('new')}><Icon name="plus" size={13} />Add a webhook</button>}>
        {list.length === 0 ? (
          <Empty icon="alert" title="Nobody is told about alerts" action={<button type="button" className="btn primary" onClick={() => setEdit('new')}>Add a webhook</button>}>Chat, paging and ticket systems take alerts as a signed webhook.</Empty>
        ) : (
          <table className="plain">
            <thead><tr><th>Channel</th><th>Where to</th><th>From</th><th>State</th><th><span className="hidden-visually">Actions</span></th></tr></thead>
            <tbody>
              {list.map((channel) => (
                <tr key={channel.id}>
                  <td><b><SafeText>{channel.id}</SafeText></b> <span className="muted">{channel.kind}</span></td>
                  <td className="mono wrap-any"><SafeText>{channel.url}</SafeText></td>
                  <td><Severity severity={channel.min_severity} /></td>
                  <td>{channel.enabled ? <span className="tag green"><Icon name="check" size={12} />on</span> : <span className="tag">off</span>}</td>
                  <td>
                    <div className="row" style={{ justifyContent: 'flex-end', gap: 6 }}>
                      <button type="button" className="btn small" disabled={test.isPending} onClick={() => test.mutate(channel.id)}>{test.isPending && test.variables === channel.id ? 'Sending…' : 'Send a test'}</button>
                      <button type="button" className="btn small" onClick={() => setEdit(channel)}>Edit</button>
                      <button type="button" className="btn small danger" onClick={() => setGone(channel)}>Remove</button>
                    </div>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
      <Section title="Deliveries" query={deliveries} more="newest first">
        {(deliveries.data?.deliveries.length ?? 0) === 0 ? <Empty icon="clock" title="Nothing was sent yet">Each try stands here with its answer.</Empty> : (
          <table className="plain">
            <thead><tr><th>When</th><th>Channel</th><th>Alert</th><th className="num">Try</th><th>Answer</th></tr></thead>
            <tbody>
              {deliveries.data?.deliveries.slice(0, 50).map((item, index) => (
                <tr key={index}>
                  <td className="soft"><Time at={item.time} /></td>
                  <td><SafeText>{item.channel}</SafeText></td>
                  <td className="mono wrap-any"><SafeText>{item.alert}</SafeText></td>
                  <td className="num">{item.attempt}</td>
                  <td>{item.error ? <span className="tag red"><Icon name="deny" size={12} /><SafeText>{item.error}</SafeText></span> : <span className={`tag ${item.status && item.status < 300 ? 'green' : 'amber'}`}>{item.status ?? 'no answer'}</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Section>
      {edit && <ChannelDialog channel={edit === 'new' ? null : edit} taken={list.map((channel) => channel.id)} onClose={() => setEdit(null)} />}
      {gone && (
        <Confirm title="Remove the channel" action="Remove" onClose={() => setGone(null)} send={() => take(api.DELETE('/api/v1/channels/{id}', { params: { path: { id: gone.id } } }))} done={() => { toast('The channel is removed'); void queryClient.invalidateQueries({ queryKey: ['channels'] }) }}>
          Nobody is told through <b><SafeText>{gone.id}</SafeText></b> any more.
        </Confirm>
      )}
    </>
  )
}

function Confirm({ title, action, children, onClose, send, done }: { title: string; action: string; children: ReactNode; onClose: () => void; send: () => Promise<unknown>; done: () => void }) {
  const run = useMutation({ mutationFn: send, onSuccess: () => { done(); onClose() } })
  return (
    <Dialog title={title} onClose={onClose}>
      <div className="dlg-body"><p className="soft">{children}</p><Problem problem={run.error} /></div>
      <div className="dlg-foot">
        <button type="button" className="btn" onClick={onClose}>Cancel</button>
        <button type="button" className="btn primary danger" disabled={run.isPending} onClick={() => run.mutate()}>{action}</button>
      </div>
    </Dialog>
  )
}

function ChannelDialog({ channel, taken, onClose }: { channel: Channel | null; taken: string[]; onClose: () => void }) {
  const [id, setId] = useState(channel?.id ?? '')
  const [url, setUrl] = useState(channel?.url ?? '')
  const [severity, setSeverity] = useState(channel?.min_severity ?? 'high')
  const [kind, setKind] = useState(channel?.kind ?? 'webhook')
  const [secret, setSecret] = useState('')
  const [enabled, setEnabled] = useState(channel?.enabled ?? true)
  const clash = !channel && taken.includes(id.trim())
  const save = useMutation({
    mutationFn: () => take(api.PUT('/api/v1/channels/{id}', { params: { path: { id: id.trim() } }, body: { id: id.trim(), kind, url: url.trim(), min_severity: severity, enabled, ...(secret ? { secret } : {}) } })),
    onSuccess: () => {
      toast('The channel is saved')
      void queryClient.invalidateQueries({ queryKey: ['channels'] })
      onClose()
    },
  })
  return (
    <Dialog title={channel ? 'Edit the channel' : 'Add a webhook'} onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate() }}>
        <div className="dlg-body">
          <label className="field"><span>Name</span><input className="input" required autoFocus={!channel} disabled={channel !== null} pattern="[A-Za-z0-9._\-]+" value={id} onChange={(event) => setId(event.target.value)} placeholder="security-chat" /></label>
          {clash && <Problem problem="A channel with this name is there already" />}
          <label className="field"><span>Kind</span><select className="input" value={kind} onChange={(event) => setKind(event.target.value)}><option value="webhook">webhook, signed</option><option value="slack">Slack, with buttons to deny and to open</option></select></label>
          <label className="field"><span>Address</span><input className="input" type="url" required value={url} onChange={(event) => setUrl(event.target.value)} placeholder="https://…" /></label>
          <label className="field"><span>Least severity</span>
            <select className="input" value={severity} onChange={(event) => setSeverity(event.target.value)}>{['low', 'medium', 'high', 'critical'].map((name) => <option key={name}>{name}</option>)}</select>
          </label>
          <label className="field"><span>Signing secret</span><input className="input" type="password" autoComplete="new-password" value={secret} onChange={(event) => setSecret(event.target.value)} /><small>{channel ? 'Left empty, the one that is there stays. ' : ''}{kind === 'slack' ? 'The signing secret of the Slack app: what comes back must carry it.' : 'Signs each body with HMAC-SHA-256.'} Never shown again.</small></label>
          <label className="row"><input type="checkbox" checked={enabled} onChange={(event) => setEnabled(event.target.checked)} />Tell this channel</label>
          <Problem problem={save.error} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={save.isPending || clash}>Save</button>
        </div>
      </form>
    </Dialog>
  )
}

const roles: [Role, string][] = [['viewer', 'looks'], ['auditor', 'looks and exports evidence'], ['security', 'looks and acts'], ['administrator', 'everything']]

function Accounts({ self }: { self: string }) {
  const users = useQuery(usersQuery)
  const [add, setAdd] = useState(false)
  const [gone, setGone] = useState<string | null>(null)
  const [change, setChange] = useState<User | null>(null)
  return (
    <>
      <Section title="Accounts" query={users} more={<button type="button" className="btn small" onClick={() => setAdd(true)}><Icon name="plus" size={13} />Add an account</button>}>
        <table className="plain">
          <thead><tr><th>Login</th><th>Role</th><th>Groups</th><th>Second factor</th><th>Login on machines</th><th>Last sign-in</th><th><span className="hidden-visually">Actions</span></th></tr></thead>
          <tbody>
            {users.data?.users.map((user) => (
              <tr key={user.login}>
                <td><b><SafeText>{user.login}</SafeText></b>{user.login === self && <span className="muted"> you</span>}</td>
                <td><span className="tag">{user.role}</span></td>
                <td className="wrap-any"><SafeText>{user.groups.join(', ') || '–'}</SafeText></td>
                <td>{user.second_factor ? <span className="tag green">yes</span> : <span className="tag">no</span>}</td>
                <td><SafeText>{user.person || '–'}</SafeText></td>
                <td className="soft"><Time at={user.last_seen} /></td>
                <td><div className="row" style={{ justifyContent: 'flex-end', gap: 6 }}><button type="button" className="btn small" onClick={() => setChange(user)}>Change</button>{user.login !== self && <button type="button" className="btn small danger" onClick={() => setGone(user.login)}>Remove</button>}</div></td>
              </tr>
            ))}
          </tbody>
        </table>
        <p className="muted" style={{ marginTop: 10 }}>The login on machines is how nobody approves what they asked for themselves.</p>
      </Section>
      {add && <UserDialog onClose={() => setAdd(false)} />}
      {change && <ChangeDialog user={change} self={self} onClose={() => setChange(null)} />}
      {gone && (
        <Confirm title="Remove the account" action="Remove" onClose={() => setGone(null)} send={() => take(api.DELETE('/api/v1/users/{login}', { params: { path: { login: gone } } }))} done={() => { toast('The account is removed'); void queryClient.invalidateQueries({ queryKey: ['users'] }) }}>
          <b><SafeText>{gone}</SafeText></b> can sign in no more; sessions and tokens end at once. What they did stays recorded.
        </Confirm>
      )}
    </>
  )
}

function UserDialog({ onClose }: { onClose: () => void }) {
  const [login, setLogin] = useState('')
  const [person, setPerson] = useState('')
  const [role, setRole] = useState<Role>('viewer')
  const [groups, setGroups] = useState('')
  const [password, setPassword] = useState('')
  const [own, setOwn] = useState('')
  const [code, setCode] = useState('')
  const save = useMutation({
    mutationFn: () => withCode(code, () => take(api.POST('/api/v1/users', { body: { login: login.trim(), person: person.trim(), role, groups: words(groups), password, your_password: own } }))),
    onSuccess: () => {
      toast('The account is made')
      void queryClient.invalidateQueries({ queryKey: ['users'] })
      onClose()
    },
  })
  return (
    <Dialog title="Add an account" onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate() }}>
        <div className="dlg-body">
          <label className="field"><span>Login</span><input className="input" required autoFocus autoComplete="off" value={login} onChange={(event) => setLogin(event.target.value)} /></label>
          <label className="field"><span>Login on machines</span><input className="input" autoComplete="off" value={person} onChange={(event) => setPerson(event.target.value)} /><small>Their own requests cannot be approved with this account.</small></label>
          <label className="field"><span>Groups</span><input className="input" autoComplete="off" value={groups} onChange={(event) => setGroups(event.target.value)} placeholder="sre, managers" /><small>The policy says which groups approve.</small></label>
          <label className="field"><span>Role</span><select className="input" value={role} onChange={(event) => setRole(event.target.value as Role)}>{roles.map(([name, text]) => <option key={name} value={name}>{name}: {text}</option>)}</select></label>
          <label className="field"><span>First password</span><input className="input" type="password" required minLength={12} autoComplete="new-password" value={password} onChange={(event) => setPassword(event.target.value)} /><small>At least 12 characters.</small></label>
          <Proof password={own} onPassword={setOwn} code={code} onCode={setCode} />
          <Problem problem={save.error} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={save.isPending || !login.trim() || password.length < 12 || !own}>Add</button>
        </div>
      </form>
    </Dialog>
  )
}

const words = (text: string) => text.split(',').map((word) => word.trim()).filter(Boolean)

function ChangeDialog({ user, self, onClose }: { user: User; self: string; onClose: () => void }) {
  const [role, setRole] = useState<Role>(user.role)
  const [groups, setGroups] = useState(user.groups.join(', '))
  const [chat, setChat] = useState(user.chat ?? '')
  const [reset, setReset] = useState(false)
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  const save = useMutation({
    mutationFn: () => withCode(code, () => take(api.POST('/api/v1/users/{login}', { params: { path: { login: user.login } }, body: { role, groups: words(groups), chat: chat.trim(), ...(reset ? { reset_factors: true } : {}), password } }))),
    onSuccess: () => {
      toast('The account is changed')
      for (const key of ['users', 'me']) void queryClient.invalidateQueries({ queryKey: [key] })
      onClose()
    },
  })
  return (
    <Dialog title={`Change ${user.login}`} onClose={onClose}>
      <form onSubmit={(event) => { event.preventDefault(); save.mutate() }}>
        <div className="dlg-body">
          <label className="field"><span>Role</span><select className="input" value={role} onChange={(event) => setRole(event.target.value as Role)}>{roles.map(([name, text]) => <option key={name} value={name}>{name}: {text}</option>)}</select></label>
          <label className="field"><span>Groups</span><input className="input" autoComplete="off" value={groups} onChange={(event) => setGroups(event.target.value)} placeholder="sre, managers" /></label>
          <label className="field"><span>Id in the chat</span><input className="input" autoComplete="off" value={chat} onChange={(event) => setChat(event.target.value)} placeholder="U024BE7LH" /><small>Lets this person deny requests from Slack. Nothing is approved there.</small></label>
          {user.second_factor && user.login !== self && <label className="row"><input type="checkbox" checked={reset} onChange={(event) => setReset(event.target.checked)} />Take the second factor away, because it is lost</label>}
          <Proof password={password} onPassword={setPassword} code={code} onCode={setCode} />
          <Problem problem={save.error} />
        </div>
        <div className="dlg-foot">
          <button type="button" className="btn" onClick={onClose}>Cancel</button>
          <button type="submit" className="btn primary" disabled={save.isPending || !password}>Save</button>
        </div>
      </form>
    </Dialog>
  )
}

function TokenList() {
  const tokens = useQuery(tokensQuery)
  const end = useMutation({
    mutationFn: (id: string) => take(api.DELETE('/api/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => {
      toast('The token is ended')
      void queryClient.invalidateQueries({ queryKey: ['tokens'] })
    },
    onError: (problem) => toast(problem.message, false),
  })
  const list = tokens.data?.tokens ?? []
  return (
    <Section title="Tokens" query={tokens} more={tokens.data && count(list.length)}>
      {list.length === 0 ? <Empty icon="lock" title="No program has a token">Tokens that were made stand here until they lapse or are ended.</Empty> : (
        <table className="plain">
          <thead><tr><th>What for</th><th>Whose</th><th>Made</th><th>Lapses</th><th><span className="hidden-visually">Actions</span></th></tr></thead>
          <tbody>
            {list.map((token) => (
              <tr key={token.id}>
                <td><b><SafeText>{token.name}</SafeText></b> <span className="mono muted">{token.id}</span></td>
                <td><SafeText>{token.login}</SafeText></td>
                <td className="soft"><Time at={token.created} /></td>
                <td className="soft"><Time at={token.expires} /></td>
                <td><div className="row" style={{ justifyContent: 'flex-end' }}><button type="button" className="btn small danger" disabled={end.isPending} onClick={() => end.mutate(token.id)}>End</button></div></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  )
}

function Tokens() {
  const [name, setName] = useState('')
  const [days, setDays] = useState('90')
  const [made, setMade] = useState<Schemas['TokenMade'] | null>(null)
  const make = useMutation({
    mutationFn: () => take(api.POST('/api/v1/tokens', { body: { name: name.trim(), days: Number(days) } })),
    onSuccess: (token) => {
      setMade(token)
      setName('')
      void queryClient.invalidateQueries({ queryKey: ['tokens'] })
    },
  })
  function submit(event: FormEvent) {
    event.preventDefault()
    make.mutate()
  }
  return (
    <>
    <Section title="A token for a program">
      <div className="stack" style={{ maxWidth: 640 }}>
        <p className="soft">A program that carries it may do what your role may, except what asks for the password again.</p>
        <form className="row" style={{ alignItems: 'flex-end', gap: 10 }} onSubmit={submit}>
          <label className="field spring"><span>What for</span><input className="input" required value={name} onChange={(event) => setName(event.target.value)} placeholder="siem-forwarder" /></label>
          <label className="field" style={{ width: 120 }}><span>Days</span><input className="input" type="number" min={1} max={365} required value={days} onChange={(event) => setDays(event.target.value)} /></label>
          <button type="submit" className="btn primary" style={{ height: 32 }} disabled={make.isPending || !name.trim()}>Make a token</button>
        </form>
        <Problem problem={make.error} />
        {made && (
          <>
            <Hint icon="lock">Shown once. It lapses {absolute(made.expires)}.</Hint>
            <CopyBox text={made.token} label="Copy the token" />
            <CopyBox text={`curl -H "Authorization: Bearer $TOKEN" ${location.origin}/api/v1/overview`} label="Copy the example" />
          </>
        )}
        <p className="muted">The whole interface is described in <a href="/api/v1/openapi.json">openapi.json</a>.</p>
      </div>
    </Section>
    <TokenList />
    </>
  )
}

function Detections() {
  const detections = useQuery(detectionsQuery)
  return (
    <Section title="Detection rules" query={detections} more={detections.data && count(detections.data.detections.length)}>
      {detections.data?.detections.length === 0 ? <Empty icon="alert" title="No detection rules" /> : (
        <table className="plain">
          <thead><tr><th>Rule</th><th>Looks for</th><th>Severity</th><th>Does</th><th>Runs</th></tr></thead>
          <tbody>
            {detections.data?.detections.map((rule) => (
              <tr key={rule.id}>
                <td style={{ width: 220 }}><b><SafeText>{rule.title}</SafeText></b><br /><span className="mono muted"><SafeText>{rule.id}</SafeText></span></td>
                <td className="soft wrap-any"><SafeText>{rule.condition}</SafeText></td>
                <td><Severity severity={rule.severity} /></td>
                <td className="soft"><SafeText>{rule.actions.join(', ') || 'raises an alert'}</SafeText></td>
                <td>{rule.enabled ? <span className="tag green">on</span> : <span className="tag">off</span>}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Section>
  )
}

function Ledger() {
  const ledger = useQuery(ledgerQuery)
  const point = ledger.data?.checkpoint
  return (
    <Section title="Ledger" query={ledger}>
      {ledger.data && (
        <div className="stack">
          <p className="soft">Every stored event is a leaf of an append-only tree; its root is signed. Keep checkpoints elsewhere, and nobody can change what came before them unseen.</p>
          <dl className="kv">
            <dt>Events</dt><dd>{count(ledger.data.events)}</dd>
            <dt>Public key</dt><dd className="row"><span className="hash wrap-any"><SafeText>{ledger.data.public_key}</SafeText></span><Copy text={ledger.data.public_key} label="Copy the public key" /></dd>
            {point && (
              <>
                <dt>Checkpoint</dt><dd>{count(point.tree_size)} leaves, <Time at={point.time} /></dd>
                <dt>Root</dt><dd><Hash value={point.root} keep={64} /></dd>
              </>
            )}
          </dl>
          {point ? <div className="row" style={{ alignItems: 'flex-start' }}><pre className="json spring" tabIndex={0} aria-label="Signed checkpoint">{point.note.split('\n').map((line, index) => <span key={index}><SafeText>{line}</SafeText>{'\n'}</span>)}</pre><Copy text={point.note} label="Copy the checkpoint" /></div> : <Hint>No checkpoint was signed yet; the first comes with the first events.</Hint>}
        </div>
      )}
    </Section>
  )
}
