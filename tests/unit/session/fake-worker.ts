/** A worker in this thread, with real structured cloning over a MessageChannel, a lock manager and simulated crashes. */
import type { Locks, ServePort, WorkerLike } from '../../../src/rpc/rpc';

/** The Web Locks that Tabtune needs: exclusive locks, `ifAvailable`, and releasing all locks of an owner at once. */
export class FakeLocks {
  private held = new Map<string, { owner: object; next: (() => void)[] }>();

  /** The lock manager for one worker or page, the `owner`, which can die. */
  for(owner: object): Locks & Pick<LockManager, 'query'> {
    const request = async (name: string, ...rest: unknown[]): Promise<unknown> => {
      const body = rest.at(-1) as (lock: Lock | null) => unknown;
      const options = (rest.length > 1 ? rest[0] : {}) as LockOptions;
      while (this.held.has(name)) {
        if (options.ifAvailable) return body(null);
        await new Promise<void>((resolve) => this.held.get(name)?.next.push(resolve));
      }
      this.held.set(name, { owner, next: [] });
      try {
        return await body({ name, mode: 'exclusive' });
      } finally {
        this.release(name, owner);
      }
    };
    const query = async () => ({ held: [...this.held.keys()].map((name) => ({ name })), pending: [] });
    return { request, query } as unknown as Locks & Pick<LockManager, 'query'>;
  }

  /** Does what the browser does when a worker or tab is gone. */
  drop(owner: object): void {
    for (const [name, lock] of this.held) if (lock.owner === owner) this.release(name, owner);
  }

  private release(name: string, owner: object): void {
    const lock = this.held.get(name);
    if (lock?.owner !== owner) return;
    this.held.delete(name);
    for (const wake of lock.next) wake();
  }
}

export class FakeWorker extends EventTarget implements WorkerLike {
  readonly locks: Locks;
  readonly port: ServePort;
  terminated = false;
  private readonly outer: MessagePort;
  private readonly inner: MessagePort;

  constructor(private readonly manager: FakeLocks = new FakeLocks()) {
    super();
    const { port1, port2 } = new MessageChannel();
    this.outer = port1;
    this.inner = port2;
    this.port = port2 as unknown as ServePort;
    this.locks = manager.for(this);
    port1.addEventListener('message', (event) => {
      if (!this.terminated) this.dispatchEvent(new MessageEvent('message', { data: (event as MessageEvent).data }));
    });
    port1.start();
  }

  postMessage(message: unknown, transfer: Transferable[]): void {
    if (!this.terminated) this.outer.postMessage(message, transfer as never);
  }

  terminate(): void {
    this.terminated = true;
    this.manager.drop(this);
    this.outer.close();
    this.inner.close();
  }

  /** Disappears as after a crash of its thread: without an event, only its locks are released. */
  crash(): void {
    this.terminate();
  }
}
