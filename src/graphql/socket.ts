/** One client's WebSocket: the conversation of graphql-transport-ws, with its limits. */
import { execute, OperationTypeNode } from 'graphql';
import type { RawData, WebSocket } from 'ws';
import { SimwardenError } from '../errors';
import type { Caller } from './caller';
import type { Holdings } from './holdings';
import type { LiveMember } from './live-group';
import { OperationContext } from './operation-context';
import type { Admitted, OperationRequest } from './operation-gate';
import { presentError } from './refusal';
import { closeCodes, MessageError, parseMessage, type ClientMessage, type CloseReason } from './socket-messages';
import type { GraphqlSocketParts } from './socket-server';

const SOCKET_LIMITS = {
  initMilliseconds: 3_000,
  operations: 100,
  messagesPerSecond: 200,
  bufferedBytes: 1024 * 1024,
  /** A replay waits for its reader beyond this. */
  pacedBytes: 64 * 1024,
  /** How long a client may take to notice that it was closed. */
  closingMilliseconds: 5_000,
} as const;

const LONGEST_TIMER_MILLISECONDS = 2_147_483_647;

export class GraphqlSocket {
  caller: Caller | null = null;
  private initialising = false;
  private acknowledged = false;
  private readonly operations = new Map<string, () => void>();
  private readonly initTimer: NodeJS.Timeout;
  private expiryTimer: NodeJS.Timeout | undefined;
  private giveBack: () => void = () => undefined;
  private secondStarted = 0;
  private messagesThisSecond = 0;

  constructor(
    private readonly socket: WebSocket,
    private readonly origin: string | undefined,
    private readonly parts: GraphqlSocketParts,
    private readonly held: Holdings,
  ) {
    this.initTimer = setTimeout(() => this.close('INITIALISATION_TIMEOUT'), parts.initMilliseconds ?? SOCKET_LIMITS.initMilliseconds);
    socket.on('message', (data, isBinary) => this.received(isBinary ? null : textOf(data)));
    // ws closes the socket itself after an error (a message too long: 1009); a listener keeps the process alive.
    socket.on('error', (error) => parts.services.log.logger.debug({ err: error }, 'a WebSocket failed'));
    socket.on('close', () => this.closed());
  }

  close(reason: CloseReason, detail?: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    const { code, reason: text } = closeCodes[reason];
    this.socket.close(code, (detail ?? text).slice(0, 120));
    // A client that doesn't read never sees the close frame.
    setTimeout(() => this.socket.terminate(), SOCKET_LIMITS.closingMilliseconds).unref();
    this.endOperations();
  }

  private closed(): void {
    clearTimeout(this.initTimer);
    clearTimeout(this.expiryTimer);
    this.giveBack();
    this.endOperations();
  }

  private endOperations(): void {
    for (const end of this.operations.values()) end();
    this.operations.clear();
  }

  private received(text: string | null): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.isTooFast()) return this.close('TOO_MANY', 'Too many messages: at most 200 a second');
    try {
      if (text === null) throw new MessageError('Binary messages are not understood');
      this.answer(parseMessage(text));
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.close('BAD_REQUEST', error.message);
    }
  }

  private isTooFast(): boolean {
    const now = performance.now();
    if (now - this.secondStarted >= 1000) {
      this.secondStarted = now;
      this.messagesThisSecond = 0;
    }
    this.messagesThisSecond += 1;
    return this.messagesThisSecond > SOCKET_LIMITS.messagesPerSecond;
  }

  private answer(message: ClientMessage): void {
    switch (message.type) {
      case 'connection_init':
        if (this.initialising) return this.close('TOO_MANY', 'Too many initialisation requests');
        this.initialising = true;
        // The client has done its part; how long it takes to know the caller is not its fault.
        clearTimeout(this.initTimer);
        void this.initialise(message.authorization);
        return;
      case 'ping':
        return this.sendMessage({ type: 'pong', ...(message.payload ? { payload: message.payload } : {}) });
      case 'pong':
        return;
      case 'subscribe':
        if (!this.caller || !this.acknowledged) return this.close('UNAUTHORIZED');
        if (this.operations.has(message.id)) return this.close('SUBSCRIBER_EXISTS', `Subscriber for ${message.id} already exists`);
        void this.start(message.id, message.request, this.caller);
        return;
      case 'complete':
        this.operations.get(message.id)?.();
        this.operations.delete(message.id);
    }
  }

  private async initialise(authorization: string | undefined): Promise<void> {
    try {
      const caller = await this.parts.authenticate({ authorization, origin: this.origin });
      if (!caller) return this.close('FORBIDDEN');
      if (this.socket.readyState !== this.socket.OPEN) return;
      const giveBack = this.held.take(caller.credentialId);
      if (!giveBack) return this.close('TOO_MANY', `Too many sockets: at most ${this.held.most} of one credential`);
      this.giveBack = giveBack;
      // At once, so that a revocation from here on finds this socket.
      this.caller = caller;
      const cursor = await this.parts.hub.cursorNow();
      if (this.socket.readyState !== this.socket.OPEN) return;
      this.armExpiry(caller);
      if (this.socket.readyState !== this.socket.OPEN) return;
      this.acknowledged = true;
      this.sendMessage({ type: 'connection_ack', payload: { cursor } });
    } catch (error) {
      const { message } = presentError(error, this.parts.services.entropy.uuid(), this.parts.services.log);
      if (this.socket.readyState === this.socket.OPEN) this.socket.close(1011, message.slice(0, 120));
    }
  }

  private armExpiry(caller: Caller): void {
    if (!caller.expiresAt) return;
    const left = caller.expiresAt.getTime() - this.parts.services.clock.now().getTime();
    if (left <= 0) return this.close('FORBIDDEN', 'The credential has expired');
    this.expiryTimer = setTimeout(() => this.armExpiry(caller), Math.min(left, LONGEST_TIMER_MILLISECONDS));
  }

  private async start(id: string, request: OperationRequest, caller: Caller): Promise<void> {
    let ended = false;
    let release: () => void = () => undefined;
    const end = (): void => {
      ended = true;
      release();
    };
    // Whether the id still names this very operation: after a complete it may name another.
    const isOurs = (): boolean => !ended && this.operations.get(id) === end;
    try {
      if (this.operations.size >= SOCKET_LIMITS.operations)
        throw new SimwardenError('TOO_MANY_SUBSCRIPTIONS', { most: SOCKET_LIMITS.operations });
      this.operations.set(id, end);
      // Before anything is parsed, and for subscriptions too: each may read a week of the log.
      await this.parts.rate.spend(caller.credentialId);
      if (!isOurs()) return;
      const verdict = this.parts.gate.admitText(request, caller);
      if (verdict.errors) return this.fail(id, end, verdict.errors);
      if (verdict.admitted.operation.operation === OperationTypeNode.SUBSCRIPTION) {
        await this.parts.hub.join(request, verdict.admitted, caller, this.member(id, end, isOurs), (leave) => (release = leave));
        return;
      }
      const payload = await this.run(request, verdict.admitted, caller, (context) => (release = () => void context.abandon()));
      if (!isOurs()) return;
      this.operations.delete(id);
      this.sendRaw(`${nextPrefix(id)}${payload}}`);
      this.sendMessage({ type: 'complete', id });
    } catch (error) {
      if (!ended) this.fail(id, end, [error]);
    }
  }

  /** A query or mutation, executed as over HTTP. */
  private async run(
    request: OperationRequest,
    admitted: Admitted,
    caller: Caller,
    opened: (context: OperationContext) => void,
  ): Promise<string> {
    const { schema, services } = this.parts;
    const context = new OperationContext(services, caller, 'graphql');
    opened(context);
    try {
      const result = await execute({
        schema,
        document: admitted.document,
        contextValue: context,
        variableValues: request.variables ?? {},
        operationName: request.operationName,
      });
      const errors = result.errors?.map((error) => presentError(error, context.requestId, services.log));
      return JSON.stringify({ ...(errors ? { errors } : {}), data: result.data, extensions: { cost: admitted.cost } });
    } finally {
      await context.end();
    }
  }

  private member(id: string, end: () => void, isOurs: () => boolean): LiveMember {
    const prefix = nextPrefix(id);
    const { socket } = this;
    return {
      position: 0n,
      live: false,
      get closed() {
        return !isOurs() || socket.readyState !== socket.OPEN;
      },
      send: (payload) => {
        if (isOurs()) this.sendRaw(`${prefix}${payload}}`);
      },
      sendPaced: (payload) =>
        new Promise<void>((resolve) => {
          if (!isOurs() || socket.readyState !== socket.OPEN) return resolve();
          const waits = socket.bufferedAmount > SOCKET_LIMITS.pacedBytes;
          socket.send(`${prefix}${payload}}`, () => waits && resolve());
          if (!waits) resolve();
        }),
      complete: () => {
        if (!isOurs()) return;
        this.operations.delete(id);
        end();
        this.sendMessage({ type: 'complete', id });
      },
      fellBehind: () => this.close('TOO_SLOW', 'Too many events wait; connect again with `after`'),
    };
  }

  private fail(id: string, end: () => void, errors: readonly unknown[]): void {
    if (this.operations.get(id) === end) this.operations.delete(id);
    const { services } = this.parts;
    this.sendMessage({ type: 'error', id, payload: errors.map((error) => presentError(error, services.entropy.uuid(), services.log)) });
  }

  private sendMessage(message: object): void {
    this.sendRaw(JSON.stringify(message));
  }

  private sendRaw(text: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.socket.bufferedAmount > SOCKET_LIMITS.bufferedBytes) return this.close('TOO_SLOW');
    this.socket.send(text);
  }
}

/** ws hands a message over in one buffer unless told otherwise. */
function textOf(data: RawData): string {
  return (data as Buffer).toString('utf8');
}

function nextPrefix(id: string): string {
  return `{"id":${JSON.stringify(id)},"type":"next","payload":`;
}
