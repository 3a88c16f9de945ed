/** How many of something (sockets, uploads) each credential holds at this process; one more than the bound is refused. */
export class Holdings {
  private readonly held = new Map<string, number>();

  constructor(readonly most: number) {}

  /** Takes one; answers what gives it back (once, however often it is called), or null where the credential holds as many as it may. */
  take(credentialId: string): (() => void) | null {
    const now = this.held.get(credentialId) ?? 0;
    if (now >= this.most) return null;
    this.held.set(credentialId, now + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = this.held.get(credentialId)! - 1;
      if (left > 0) this.held.set(credentialId, left);
      else this.held.delete(credentialId);
    };
  }
}
