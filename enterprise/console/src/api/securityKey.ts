// Security keys and passkeys (WebAuthn): making one, and touching one for an act.

/** What went wrong between the browser, the key and its owner. */
export class KeyProblem extends Error {}

const encode = (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>): string =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
function decode(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0))
}

/** True where this browser, on this address, can use security keys. */
export const keysWork = (): boolean => typeof PublicKeyCredential === 'function' && window.isSecureContext

async function ceremony<T extends AuthenticatorResponse>(run: () => Promise<Credential | null>, rpId: string): Promise<{ id: ArrayBuffer; response: T }> {
  if (!keysWork()) throw new KeyProblem('this browser uses no security keys on this address; open the console under https, or on localhost')
  try {
    const made = (await run()) as PublicKeyCredential | null
    if (!made) throw new KeyProblem('the browser gave no answer of a security key')
    return { id: made.rawId, response: made.response as T }
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause
    const words: Record<string, string> = {
      NotAllowedError: 'the security key was not used: it was cancelled or took too long',
      InvalidStateError: 'this security key is registered already',
      SecurityError: `security keys of this console work at ${rpId} only, and this is ${location.hostname}`,
    }
    throw new KeyProblem(words[cause.name] ?? cause.message)
  }
}

export interface Creation {
  challenge: string
  rp_id: string
  rp_name: string
  user_id: string
  user_name: string
  algorithms: number[]
  exclude: string[]
  timeout_ms: number
}
/** Makes a credential; its owner is verified by the key. */
export async function createKey(asked: Creation) {
  const publicKey: PublicKeyCredentialCreationOptions = {
    challenge: decode(asked.challenge),
    rp: { id: asked.rp_id, name: asked.rp_name },
    user: { id: decode(asked.user_id), name: asked.user_name, displayName: asked.user_name },
    pubKeyCredParams: asked.algorithms.map((alg) => ({ type: 'public-key', alg })),
    excludeCredentials: asked.exclude.map((id) => ({ type: 'public-key', id: decode(id) })),
    authenticatorSelection: { userVerification: 'required', residentKey: 'preferred' },
    attestation: 'none',
    timeout: asked.timeout_ms,
  }
  const { id, response } = await ceremony<AuthenticatorAttestationResponse>(() => navigator.credentials.create({ publicKey }), asked.rp_id)
  return { challenge: asked.challenge, credential_id: encode(id), client_data_json: encode(response.clientDataJSON), attestation_object: encode(response.attestationObject) }
}

interface Challenge {
  challenge: string
  statement: string
  rp_id: string
  credentials: string[]
  timeout_ms: number
}
/**
 * Has the key sign what the server asks for; the answer goes into a header of the act. What is
 * signed must be the hash of the statement, and a consent must be to what the screen showed.
 */
export async function touchKey(asked: Challenge, shown?: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(asked.statement))
  if (encode(digest) !== asked.challenge) throw new KeyProblem('the server asks to sign something else than it says; nothing was signed')
  const said = JSON.parse(asked.statement) as { binding_hash?: string }
  if (said.binding_hash !== undefined && said.binding_hash !== shown) throw new KeyProblem('the server asks to sign another request than the one on the screen; nothing was signed')
  const publicKey: PublicKeyCredentialRequestOptions = {
    challenge: decode(asked.challenge),
    rpId: asked.rp_id,
    allowCredentials: asked.credentials.map((id) => ({ type: 'public-key', id: decode(id) })),
    userVerification: 'required',
    timeout: asked.timeout_ms,
  }
  const { id, response } = await ceremony<AuthenticatorAssertionResponse>(() => navigator.credentials.get({ publicKey }), asked.rp_id)
  const proof = {
    statement: asked.statement,
    credential_id: encode(id),
    authenticator_data: encode(response.authenticatorData),
    client_data_json: encode(response.clientDataJSON),
    signature: encode(response.signature),
  }
  return encode(new TextEncoder().encode(JSON.stringify(proof)))
}
