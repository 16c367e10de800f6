import { useState, type FormEvent } from 'react'
import { api, ApiProblem, take } from '../api/client'
import { keysWork, touchKey } from '../api/securityKey'
import { meQuery, queryClient } from '../api/queries'
import { Icon } from '../ui/icons'
import { Problem } from '../ui/states'

export function SignIn() {
  const [login, setLogin] = useState('')
  const [password, setPassword] = useState('')
  const [code, setCode] = useState('')
  // The password was right and the account has a second factor.
  const [asked, setAsked] = useState(false)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<unknown>()
  async function signIn(byKey: boolean) {
    setBusy(true)
    setProblem(undefined)
    const body = { login: login.trim(), password }
    try {
      const headers: Record<string, string> = byKey
        ? { 'x-cmdai-assertion': await touchKey(await take(api.POST('/api/v1/session/challenge', { body }))) }
        : asked ? { 'x-cmdai-code': code.trim() } : {}
      const me = await take(api.POST('/api/v1/session', { body, headers }))
      // The query itself stays: the frame listens to it.
      queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== 'me' })
      queryClient.setQueryData(meQuery.queryKey, me)
    } catch (cause) {
      const second = cause instanceof ApiProblem && cause.code === 'factor_required'
      if (second && !asked) setAsked(true)
      else setProblem(cause instanceof ApiProblem && cause.status === 401 ? 'Login or password is not right' : cause)
      setBusy(false)
    }
  }
  function submit(event: FormEvent) {
    event.preventDefault()
    void signIn(false)
  }
  return (
    <main className="signin">
      <div className="signin-form">
        <div className="brand">
          <img src="/favicon.svg" alt="" />
          <div>
            <b>cmdai</b>
            <span>Enterprise console</span>
          </div>
        </div>
        <h1>Sign in</h1>
        <form onSubmit={submit}>
          <label className="field">
            <span>Login</span>
            <input className="input" name="login" autoComplete="username" autoFocus required value={login} onChange={(event) => setLogin(event.target.value)} />
          </label>
          <label className="field">
            <span>Password</span>
            <input className="input" name="password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
          </label>
          {asked && (
            <label className="field">
              <span>Code</span>
              <input className="input mono" name="code" autoComplete="one-time-code" autoFocus required maxLength={40} value={code} onChange={(event) => setCode(event.target.value)} />
              <small>Six digits of your authenticator app, or a recovery code.</small>
            </label>
          )}
          <Problem problem={problem} />
          {asked && keysWork() && <button type="button" className="btn" disabled={busy} onClick={() => void signIn(true)}><Icon name="lock" size={13} />Use your security key</button>}
          <button type="submit" className="btn primary" disabled={busy}>
            {busy && <Icon name="refresh" size={13} className="spin" />}
            Sign in
          </button>
          <small className="muted">Every sign-in is recorded. The first password stands in first-login.txt in the server’s data folder.</small>
        </form>
      </div>
      <div className="signin-side" aria-hidden="true">
        <h2>Every command that people and AI agents run: judged before, recorded after, provable later.</h2>
        <pre>
          <b>cmdai: blocked</b>{'  '}<i>aws s3 rm s3://prod-logs --recursive</i>{'\n'}
          {'                          '}<u>^^^^^^^^^^^^^^</u>{' production data\n'}
          {'  rule    data.prod-delete\n'}
          {'  instead '}<i>aws s3 rm s3://prod-logs --recursive --dryrun</i>{'\n'}
          {'  why     cmdai why 7F3KQ'}
        </pre>
      </div>
    </main>
  )
}
