// What screens read, one function for each, so that keys are written once.
import { infiniteQueryOptions, keepPreviousData, QueryClient, queryOptions } from '@tanstack/react-query'
import { api, ApiProblem, take } from './client'

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      refetchOnWindowFocus: true,
      retry: (count, problem) => problem instanceof ApiProblem && problem.unreachable && count < 2,
      retryDelay: (count) => 400 * 2 ** count,
    },
    mutations: { retry: false },
  },
})

export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 60_000,
  queryFn: async () => {
    try {
      return await take(api.GET('/api/v1/session'))
    } catch (problem) {
      if (problem instanceof ApiProblem && problem.status === 401) return null
      throw problem
    }
  },
})

export const overviewQuery = queryOptions({
  queryKey: ['overview'],
  refetchInterval: 15_000,
  queryFn: () => take(api.GET('/api/v1/overview')),
})

export interface Span {
  q: string
  from?: string
  to?: string
}

/** Leaves out what is empty, so that addresses stay short. */
function span({ q, from, to }: Span) {
  return { ...(q ? { q } : {}), ...(from ? { from } : {}), ...(to ? { to } : {}) }
}

export const PAGE = 200
export const eventsQuery = (what: Span) =>
  infiniteQueryOptions({
    queryKey: ['events', what],
    initialPageParam: '',
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam, signal }) =>
      take(
        api.GET('/api/v1/events', {
          params: { query: { ...span(what), limit: String(PAGE), ...(pageParam ? { cursor: pageParam } : {}) } },
          signal,
        }),
      ),
    getNextPageParam: (last) => last.cursor || undefined,
  })

export const histogramQuery = (what: Span, buckets: number) =>
  queryOptions({
    queryKey: ['histogram', what, buckets],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) =>
      take(api.GET('/api/v1/events/histogram', { params: { query: { ...span(what), buckets: String(buckets) } }, signal })),
  })

export const eventQuery = (id: string) =>
  queryOptions({
    queryKey: ['event', id],
    staleTime: Infinity,
    queryFn: async () =>
      (await take(
        api.GET('/api/v1/events/{event_id}', { params: { path: { event_id: id } } }),
      )) as unknown as FullEvent,
  })

export const alertsQuery = queryOptions({
  queryKey: ['alerts'],
  refetchInterval: 20_000,
  queryFn: () => take(api.GET('/api/v1/alerts', {})),
})
export const approvalsQuery = queryOptions({
  queryKey: ['approvals'],
  refetchInterval: 15_000,
  queryFn: () => take(api.GET('/api/v1/approvals', {})),
})
export const exceptionsQuery = queryOptions({
  queryKey: ['exceptions'],
  refetchInterval: 20_000,
  queryFn: () => take(api.GET('/api/v1/exceptions')),
})
export const emergenciesQuery = queryOptions({
  queryKey: ['emergencies'],
  refetchInterval: 20_000,
  queryFn: () => take(api.GET('/api/v1/emergencies')),
})
export const factorsQuery = queryOptions({
  queryKey: ['factors'],
  queryFn: () => take(api.GET('/api/v1/factors')),
})
export const tokensQuery = queryOptions({
  queryKey: ['tokens'],
  queryFn: () => take(api.GET('/api/v1/tokens')),
})
export const machinesQuery = queryOptions({
  queryKey: ['machines'],
  refetchInterval: 15_000,
  queryFn: () => take(api.GET('/api/v1/machines')),
})
export const machineQuery = (id: string) =>
  queryOptions({
    queryKey: ['machine', id],
    refetchInterval: 10_000,
    queryFn: () => take(api.GET('/api/v1/machines/{id}', { params: { path: { id } } })),
  })
export const policyQuery = queryOptions({
  queryKey: ['policy'],
  refetchInterval: 20_000,
  queryFn: () => take(api.GET('/api/v1/policy')),
})
export const frameworksQuery = queryOptions({
  queryKey: ['frameworks'],
  staleTime: 600_000,
  queryFn: () => take(api.GET('/api/v1/reports/frameworks')),
})
export const reportQuery = (framework: string, from: string, to: string) =>
  queryOptions({
    queryKey: ['report', framework, from, to],
    staleTime: 300_000,
    refetchOnWindowFocus: false,
    enabled: framework !== '',
    queryFn: ({ signal }) =>
      take(
        api.GET('/api/v1/reports/{framework}', {
          params: { path: { framework }, query: { from, to } },
          signal,
        }),
      ),
  })
export const ledgerQuery = queryOptions({
  queryKey: ['ledger'],
  queryFn: () => take(api.GET('/api/v1/ledger')),
})
export const detectionsQuery = queryOptions({
  queryKey: ['detections'],
  queryFn: () => take(api.GET('/api/v1/detections')),
})
export const channelsQuery = queryOptions({
  queryKey: ['channels'],
  queryFn: () => take(api.GET('/api/v1/channels')),
})
export const deliveriesQuery = queryOptions({
  queryKey: ['deliveries'],
  refetchInterval: 20_000,
  queryFn: () => take(api.GET('/api/v1/deliveries')),
})
export const usersQuery = queryOptions({
  queryKey: ['users'],
  queryFn: () => take(api.GET('/api/v1/users')),
})

/** `cmdai.event/1`, as far as the console reads it; the rest is shown as JSON. */
export interface FullEvent {
  schema: string
  event_id: string
  seq: number
  prev_hash: string
  time: string
  event_type: string
  machine_id: string
  commitment: string
  asserted_by?: string
  machine?: { hostname?: string; platform?: string; ip_address?: string }
  user?: { user_id?: string; uid?: number; email?: string; department?: string; team?: string }
  command?: {
    text?: string
    source?: string
    working_directory?: string
    shell?: string
    programs?: string[]
    effects?: string[]
    digest?: string
    times?: number
  }
  policy_evaluation?: {
    decision?: string
    reason?: string
    violated_rules?: string[]
    risk_level?: string
    certainty?: string
    policy_version?: string
  }
  approval?: { request_id?: string; grant_id?: string; status?: string; approver?: string; reason?: string }
  execution?: { allowed?: boolean; exit_code?: number; duration_ms?: number }
  context?: {
    session_id?: string
    counter?: number
    layer?: string
    tty?: string
    parent_process?: { pid: number; name: string }[]
    origin?: { kind?: string; confidence?: number; evidence?: string[] }
    agent?: { name?: string; version?: string; session_id?: string; tool_call_id?: string }
    versions?: Record<string, string>
  }
  detail?: Record<string, string>
}
