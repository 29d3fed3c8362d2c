/**
 * The program in Node, without a browser: scripts/headless-node gives it what Node lacks of one. Untrusted input is processed in threads
 * that can be ended, as in a browser. The engine and the downloads share the thread of the session, and with it the stored data.
 */
import { TabtuneError } from '../base/errors';
import { tellPageUrl } from '../base/page-url';
import { reaches } from '../hub/hub-policy';
import { type Connection, connect, serve, type WorkerLike } from '../rpc/rpc';
import type { SessionParts } from '../session/session';
import { clearScratch } from '../storage/scratch';
import type { DataWorkerApi } from '../workers/data/edit-dataset';
import { createDownloadService } from '../workers/download/service';
import { createEngineService } from '../workers/engine/service';
import type { PlanApi } from '../workers/plan/service';
import type { RewardApi } from '../workers/reward/service';
import { createUploadService } from '../workers/upload/service';
import { type Host, setHost } from './host';

export { program } from './program';

/** Deletes what exports have left on the disk. Nobody else uses the folder of a run. */
export const tidy = (): Promise<void> => clearScratch();

export type ThreadName = 'data-worker' | 'plan-worker' | 'reward-worker';

export interface NodeHost extends Pick<Host, 'tell' | 'files'> {
  /** Of the server of the built app. */
  address: string;
  /** Starts a thread with one of the workers of src/workers in it. */
  startThread(name: ThreadName): WorkerLike;
}

/** A service in this thread, behind the same calls as a worker's. */
function here<Api extends object>(api: Api, name: string): Connection<Api> {
  const { port1, port2 } = new MessageChannel();
  serve(api, { port: port1, locks: null });
  port2.start();
  const worker: WorkerLike = {
    postMessage: (message, move) => port2.postMessage(message, move),
    addEventListener: (type, listener) => port2.addEventListener(type as 'message', listener),
    terminate: () => port2.close(),
  };
  return connect<Api>(worker, { name, locks: null });
}

/** What a content security policy is in a browser. A redirection of the Hub's is followed wherever it leads. */
function allowOnly(endpoint: string, address: string): void {
  const { origin } = new URL(address);
  const fetchAnything = globalThis.fetch;
  globalThis.fetch = async (input, init) => {
    const url = new URL(input instanceof Request ? input.url : String(input), address);
    if (url.origin !== origin && !reaches(url.href, endpoint)) {
      throw new TabtuneError({ code: 'network', message: `This run may not ask ${url.origin}.`, where: endpoint });
    }
    return fetchAnything(input, init);
  };
}

export function startInNode({ address, startThread, tell, files }: NodeHost): void {
  tellPageUrl(address);
  const thread = <Api>(script: ThreadName, name: string): Connection<Api> =>
    connect<Api>(startThread(script), { name, locks: null });
  const parts: Required<Pick<SessionParts, 'connectEngine'>> & SessionParts = {
    connectEngine: () => here(createEngineService(), 'engine'),
    connectDownloads: () => here(createDownloadService(), 'download worker'),
    connectUploads: () => here(createUploadService(), 'upload worker'),
    connectData: () => thread<DataWorkerApi>('data-worker', 'data worker'),
    connectPlanner: () => thread<PlanApi>('plan-worker', 'planner'),
    connectCode: () => thread<RewardApi>('reward-worker', 'reward worker'),
  };
  setHost({ tell, files, parts, restrict: (endpoint) => allowOnly(endpoint, address) });
}
