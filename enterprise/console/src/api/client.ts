// The typed client. `schema.d.ts` is generated from enterprise/api/openapi.json (`npm run generate`).
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'
import { KeyProblem, touchKey } from './securityKey'

export type Schemas = components['schemas']
export type Me = Schemas['Me']
export type Role = Schemas['Role']
export type Overview = Schemas['Overview']
export type Trend = Schemas['Trend']
export type EventRow = Schemas['EventRow']
export type EventPage = Schemas['EventPage']
export type HistogramBucket = Schemas['HistogramBucket']
export type Alert = Schemas['Alert']
export type AlertChange = Schemas['AlertChange']
export type Approval = Schemas['Approval']
export type ExceptionView = Schemas['ExceptionView']
export type Emergency = Schemas['Emergency']
export type User = Schemas['User']
export type Machine = Schemas['Machine']
export type PolicyView = Schemas['PolicyView']
export type PolicyCheck = Schemas['PolicyCheck']
export type PolicyDiagnostic = Schemas['PolicyDiagnostic']
export type Report = Schemas['Report']
export type ControlResult = Schemas['ControlResult']
export type EvidenceItem = Schemas['EvidenceItem']
export type Channel = Schemas['Channel']

/** An answer that was not a success, or no answer at all (status 0). */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly body: unknown,
  ) {
    super(message)
  }
  /** The server could not be reached or is failing: worth a retry. */
  get unreachable(): boolean {
    return this.status === 0 || this.status >= 502
  }
}

const gone = new Set<() => void>()
/** Calls `listener` when the server says that nobody is signed in. */
export function onSignedOut(listener: () => void): () => void {
  gone.add(listener)
  return () => gone.delete(listener)
}

export const api = createClient<paths>({
  baseUrl: '',
  credentials: 'same-origin',
  headers: { 'x-cmdai': '1' },
})

/** In place of a password and a code: the security key is asked when the act goes out. */
export const BY_KEY = 'by security key'
let code = ''
api.use({
  async onRequest({ request }) {
    const challenges = new URL('/api/v1/challenges', location.href)
    const { pathname } = new URL(request.url)
    if (code === BY_KEY && request.method !== 'GET' && pathname !== challenges.pathname) {
      const body = (await request.clone().json().catch(() => ({}))) as { binding_hash?: string }
      const asked = await take(api.POST('/api/v1/challenges', { body: { act: `${request.method} ${pathname}` } }))
      request.headers.set('x-cmdai-assertion', await touchKey(asked, body.binding_hash))
    } else if (code && code !== BY_KEY) request.headers.set('x-cmdai-code', code)
    return request
  },
})
/** Sends what `act` sends with the code of a second factor or under the security key, where there is one. */
export async function withCode<T>(given: string, act: () => Promise<T>): Promise<T> {
  code = given.trim()
  try {
    return await act()
  } finally {
    code = ''
  }
}

const words: Record<number, string> = {
  400: 'the server did not understand the request',
  401: 'you are not signed in, or the password is not right',
  403: 'your role does not allow this',
  404: 'not found',
  409: 'somebody else changed this in the meantime',
  413: 'this is too large',
  422: 'the server refused the content',
  429: 'too many tries; wait a moment',
}

type Answer<T> = { data?: T; error?: unknown; response: Response }

/** Turns an answer into its data, or throws an `ApiProblem`. */
export async function take<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>
  try {
    answer = await call
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause
    if (cause instanceof KeyProblem || cause instanceof ApiProblem) throw cause
    throw new ApiProblem(0, 'unreachable', 'the server cannot be reached', cause)
  }
  const { data, error, response } = answer
  if (response.ok) return data as T
  const body = error as { code?: unknown; message?: unknown } | undefined
  const word = typeof body?.code === 'string' ? body.code : String(response.status)
  const message =
    typeof body?.message === 'string' && body.message
      ? body.message
      : (words[response.status] ?? `the server answered ${response.status}`)
  // A wrong step-up password must not look like a lost session.
  const stepUp = word === 'step_up_required' || word === 'factor_required'
  if (response.status === 401 && !stepUp && response.url && !response.url.endsWith('/session')) {
    for (const listener of gone) listener()
  }
  throw new ApiProblem(response.status, word, message, error)
}

/** The sentence to show for any thrown thing. */
export function sentence(problem: unknown): string {
  if (problem instanceof Error) return problem.message.charAt(0).toUpperCase() + problem.message.slice(1)
  return 'Something went wrong'
}

const rank: Record<Role, Role[]> = {
  viewer: ['viewer'],
  auditor: ['viewer', 'auditor'],
  security: ['viewer', 'security'],
  administrator: ['viewer', 'auditor', 'security', 'administrator'],
}
/** The same order as `Role::may` of the server. The server decides; this only dims buttons. */
export function may(me: Me | undefined, needed: Role): boolean {
  return me !== undefined && rank[me.role].includes(needed)
}
