// Addresses. Search parameters are plain words, so that a view can be shared and typed by hand.
import { createRootRoute, createRoute, createRouter, lazyRouteComponent } from '@tanstack/react-router'
import { App, NotFound } from './app/App'
import { Overview } from './screens/Overview'
import { Failed } from './ui/states'

type Words = Record<string, string | undefined>

/** Keeps the named parameters, as texts. */
function only<K extends string>(...names: K[]) {
  return (search: Words): { [P in K]?: string } => {
    const out: { [P in K]?: string } = {}
    for (const name of names) {
      const value = search[name]
      if (value !== undefined && value !== '') out[name] = String(value)
    }
    return out
  }
}

const root = createRootRoute({ component: App, notFoundComponent: NotFound })

const overview = createRoute({ getParentRoute: () => root, path: '/', component: Overview })
const live = createRoute({ getParentRoute: () => root, path: '/live', validateSearch: only('q', 'event'), component: lazyRouteComponent(() => import('./screens/Live'), 'Live') })
const search = createRoute({ getParentRoute: () => root, path: '/search', validateSearch: only('q', 'range', 'from', 'to', 'event'), component: lazyRouteComponent(() => import('./screens/search/Search'), 'Search') })
const alerts = createRoute({ getParentRoute: () => root, path: '/alerts', validateSearch: only('status', 'id'), component: lazyRouteComponent(() => import('./screens/Alerts'), 'Alerts') })
const approvals = createRoute({ getParentRoute: () => root, path: '/approvals', validateSearch: only('status', 'id'), component: lazyRouteComponent(() => import('./screens/Approvals'), 'Approvals') })
const fleet = createRoute({ getParentRoute: () => root, path: '/fleet', validateSearch: only('q', 'state', 'id'), component: lazyRouteComponent(() => import('./screens/Fleet'), 'Fleet') })
const policy = createRoute({ getParentRoute: () => root, path: '/policy', validateSearch: only('view'), component: lazyRouteComponent(() => import('./screens/policy/Policy'), 'Policy') })
const reports = createRoute({ getParentRoute: () => root, path: '/reports', validateSearch: only('framework', 'from', 'to', 'control'), component: lazyRouteComponent(() => import('./screens/Reports'), 'Reports') })
const settings = createRoute({ getParentRoute: () => root, path: '/settings', validateSearch: only('tab'), component: lazyRouteComponent(() => import('./screens/Settings'), 'Settings') })

export const router = createRouter({
  routeTree: root.addChildren([overview, live, search, alerts, approvals, fleet, policy, reports, settings]),
  defaultPreload: 'intent',
  parseSearch: (text) => Object.fromEntries(new URLSearchParams(text)),
  stringifySearch: (search) => {
    const out = new URLSearchParams()
    for (const [key, value] of Object.entries(search as Words)) if (value !== undefined && value !== '') out.set(key, String(value))
    const text = out.toString()
    return text ? `?${text}` : ''
  },
  defaultErrorComponent: ({ error, reset }) => <Failed problem={error} retry={reset} />,
})

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router
  }
}
