/** Somebody who gives. */
export interface Donor {
  readonly id: string;
  readonly name: string;
}

/** A donor who signed in, once. */
export interface Session {
  readonly id: string;
  readonly donor: Donor;
}

/** What the guards put on the request, on Express and on Fastify; tracking finds `user.id` and `session.id` there. */
export interface AuthenticatedRequest {
  readonly headers: { readonly authorization?: string };
  user?: { readonly id: string };
  session?: { readonly id: string };
}
