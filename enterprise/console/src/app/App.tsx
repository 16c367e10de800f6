// The frame: who is signed in, where to go, and what is wrong with the connection.
import { useQuery } from '@tanstack/react-query'
import { Link, Outlet, useRouterState } from '@tanstack/react-router'
import { useEffect, useState, type ReactNode } from 'react'
import { api, ApiProblem, onSignedOut, take, type Me } from '../api/client'
import { retryFeed, startFeed, stopFeed, useFeed } from '../api/live'
import { alertsQuery, approvalsQuery, meQuery, queryClient } from '../api/queries'
import { SignIn } from '../screens/SignIn'
import { Icon, type IconName } from '../ui/icons'
import { Toasts } from '../ui/overlay'
import { SafeText, some } from '../ui/show'
import { Empty, Failed, Loading } from '../ui/states'
import { Help, useKeys } from './keys'
import { setTheme, useChosenTheme } from './theme'

export function useMe(): Me | undefined {
  return useQuery(meQuery).data ?? undefined
}

export function App() {
  const me = useQuery(meQuery)
  useEffect(() => onSignedOut(() => {
    stopFeed()
    queryClient.setQueryData(meQuery.queryKey, null)
  }), [])
  if (me.isPending) return <Loading rows={5} label="Opening the console" />
  if (me.isError) return <main style={{ display: 'flex', height: '100%' }}><Failed problem={me.error} retry={() => void me.refetch()} /></main>
  if (!me.data) return <SignIn />
  return <Frame me={me.data} />
}

const places: { to: string; key: string; icon: IconName; label: string }[] = [
  { to: '/', key: 'o', icon: 'overview', label: 'Overview' },
  { to: '/live', key: 'l', icon: 'live', label: 'Live' },
  { to: '/search', key: 's', icon: 'search', label: 'Search' },
  { to: '/alerts', key: 'a', icon: 'alert', label: 'Alerts' },
  { to: '/approvals', key: 'v', icon: 'approve', label: 'Approvals' },
  { to: '/fleet', key: 'f', icon: 'fleet', label: 'Fleet' },
  { to: '/policy', key: 'p', icon: 'policy', label: 'Policy' },
  { to: '/reports', key: 'r', icon: 'report', label: 'Reports' },
  { to: '/settings', key: 't', icon: 'settings', label: 'Settings' },
]

function Frame({ me }: { me: Me }) {
  const path = useRouterState({ select: (state) => state.location.pathname })
  const [help, setHelp] = useState(false)
  useKeys(places, () => setHelp(true))
  const alerts = useQuery(alertsQuery)
  const approvals = useQuery(approvalsQuery)
  useEffect(() => startFeed(), [])
  const open = alerts.data?.alerts.filter((alert) => alert.status === 'open').length ?? 0
  const asks = approvals.data?.approvals.filter((ask) => ask.status === 'pending').length ?? 0
  useEffect(() => {
    const name = places.find((place) => (place.to === '/' ? path === '/' : path.startsWith(place.to)))?.label
    document.title = `${asks + open > 0 ? `(${asks + open}) ` : ''}${name ? `${name} · ` : ''}cmdai`
  }, [path, asks, open])
  const badge: Record<string, ReactNode> = {
    '/alerts': open > 0 && <span className="count hot" aria-label={`${open} open`}>{open > 99 ? '99+' : open}</span>,
    '/approvals': asks > 0 && <span className="count warm" aria-label={`${asks} waiting`}>{asks > 99 ? '99+' : asks}</span>,
  }
  return (
    <div className="shell">
      <a className="skip" href="#content">Skip to content</a>
      <div className="side">
        <div className="brand">
          <img src="/favicon.svg" alt="" />
          <div>
            <b>cmdai</b>
            <span><SafeText>{me.organisation}</SafeText></span>
          </div>
        </div>
        <nav className="nav" aria-label="Screens">
          {places.map((place) => (
            <div key={place.to}>
              {(place.to === '/alerts' || place.to === '/fleet' || place.to === '/settings') && <hr />}
              <Link to={place.to} activeOptions={{ exact: place.to === '/', includeSearch: false }} title={`${place.label} (g ${place.key})`}>
                <Icon name={place.icon} />
                <span className="label">{place.label}</span>
                {badge[place.to]}
              </Link>
            </div>
          ))}
        </nav>
        <div className="side-foot">
          <FeedState />
          <div className="account">
            <div>
              <b className="ellipsis"><SafeText>{me.login}</SafeText></b>
              <span>{me.role}</span>
            </div>
            <ThemeButton />
            <button type="button" className="iconbtn" title="Keys (?)" aria-label="Keyboard help" onClick={() => setHelp(true)}><Icon name="help" /></button>
            <button type="button" className="iconbtn" title="Sign out" aria-label="Sign out" onClick={() => void signOut()}><Icon name="exit" /></button>
          </div>
        </div>
      </div>
      <main className="main" id="content">
        <Trouble />
        {me.initial_password && (
          <div className="banner" role="status">
            <Icon name="lock" size={14} />
            <span>You are signed in with the password made at first start. Make an account of your own and delete this one.</span>
            <span className="actions"><Link to="/settings" search={{ tab: 'accounts' }} className="btn small">Accounts</Link></span>
          </div>
        )}
        <Outlet />
      </main>
      <Toasts />
      {help && <Help places={places} onClose={() => setHelp(false)} />}
    </div>
  )
}

async function signOut() {
  try {
    await take(api.DELETE('/api/v1/session'))
  } finally {
    stopFeed()
    queryClient.setQueryData(meQuery.queryKey, null)
    queryClient.removeQueries({ predicate: (query) => query.queryKey[0] !== 'me' })
  }
}

function FeedState() {
  const feed = useFeed()
  const text = { live: 'Live', connecting: 'Connecting', lost: 'Feed lost', off: 'Off' }[feed.state]
  return (
    <div className="feed-state" title={`Live feed: ${text.toLowerCase()}`}>
      <span className={`dot ${feed.state === 'live' ? 'ok' : feed.state === 'lost' ? 'bad' : 'wait'}`} />
      <span>{text}{feed.arrived > 0 && feed.state === 'live' ? ` · ${some(feed.arrived, 'event')} seen` : ''}</span>
    </div>
  )
}

/** Says that the server is away, once it has been away for a moment. */
function Trouble() {
  const feed = useFeed()
  const [late, setLate] = useState(false)
  useEffect(() => {
    if (feed.state !== 'lost') return setLate(false)
    const id = setTimeout(() => setLate(true), 1500)
    return () => clearTimeout(id)
  }, [feed.state])
  if (!late) return null
  return (
    <div className="banner bad" role="alert">
      <Icon name="silent" size={14} />
      <span><b>The server does not answer.</b> What you see may be old. Machines keep judging and recording on their own.</span>
      <span className="actions">
        <button type="button" className="btn small" onClick={() => {
          retryFeed()
          void queryClient.invalidateQueries()
        }}><Icon name="refresh" size={13} />Try now</button>
      </span>
    </div>
  )
}

function ThemeButton() {
  const theme = useChosenTheme()
  const next = theme === 'auto' ? 'light' : theme === 'light' ? 'dark' : 'auto'
  const names = { auto: 'system', light: 'light', dark: 'dark' }
  return (
    <button type="button" className="iconbtn" aria-label={`Theme: ${names[theme]}. Switch to ${names[next]}`} title={`Theme: ${names[theme]}`} onClick={() => setTheme(next)}>
      <Icon name={theme === 'auto' ? 'auto' : theme === 'light' ? 'sun' : 'moon'} />
    </button>
  )
}

export function Page({ title, sub, actions, children, fill }: { title: string; sub?: ReactNode; actions?: ReactNode; children: ReactNode; fill?: boolean }) {
  return (
    <div className="page">
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {sub && <div className="sub">{sub}</div>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {fill ? <div className="page-fill">{children}</div> : <div className="page-body" tabIndex={0} role="region" aria-label={title}>{children}</div>}
    </div>
  )
}

export function NotFound() {
  return (
    <Page title="Nothing here">
      <Empty icon="search" title="No such page" action={<Link to="/" className="btn">Overview</Link>}>The address may be from another version of the console.</Empty>
    </Page>
  )
}

/** Says why a button is dim. */
export function forbidden(me: Me | undefined, allowed: boolean): string | undefined {
  return allowed ? undefined : `Your role (${me?.role ?? 'none'}) does not allow this`
}

export { ApiProblem }
