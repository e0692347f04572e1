/** What `authorizer.group(...).resource(...)...` asks in the end. */
export interface AccessCheck {
  readonly group: string
  readonly resource: string
  readonly subresource: string
  readonly namespace: string
  readonly name: string
  readonly path: string | undefined
}

type Allows = (verb: string, check: AccessCheck) => boolean

const nothing: AccessCheck = { group: '', resource: '', subresource: '', namespace: '', name: '', path: undefined }

/** A question in the making; `check(verb)` asks it. */
export class CelAccessCheck {
  readonly allows: Allows
  readonly asked: AccessCheck

  constructor(allows: Allows, asked: Partial<AccessCheck>) {
    this.allows = allows
    this.asked = { ...nothing, ...asked }
  }

  with(part: Partial<AccessCheck>): CelAccessCheck {
    return new CelAccessCheck(this.allows, { ...this.asked, ...part })
  }
}

/** The value of `authorizer` in a rule; `requestResource` asks about the object of the request itself. */
export class CelAuthorizer {
  readonly allows: Allows
  readonly requestResource: CelAccessCheck

  constructor(allows: Allows, own: Partial<AccessCheck>) {
    this.allows = allows
    this.requestResource = new CelAccessCheck(allows, own)
  }
}

export class CelDecision {
  readonly allowed: boolean

  constructor(allowed: boolean) {
    this.allowed = allowed
  }
}
