/** Starts the workers. */
import { hearRequests } from '../base/requests';
import { type Connection, connect } from '../rpc/rpc';
import type { DataWorkerApi } from '../workers/data/edit-dataset';
import downloadScript from '../workers/download/download-worker.ts?worker&url';
import type { DownloadApi } from '../workers/download/service';
import type { EngineApi } from '../workers/engine/api';
import type { PlanApi } from '../workers/plan/service';
import type { RewardApi } from '../workers/reward/service';
import type { UploadApi } from '../workers/upload/service';
import uploadScript from '../workers/upload/upload-worker.ts?worker&url';

export function connectEngine(): Connection<EngineApi> {
  const worker = new Worker(new URL('../workers/engine/engine-worker.ts', import.meta.url), {
    type: 'module',
    name: 'engine',
  });
  return connect<EngineApi>(hearRequests(worker, 'engine'), { name: 'engine' });
}

export function connectData(): Connection<DataWorkerApi> {
  const worker = new Worker(new URL('../workers/data/data-worker.ts', import.meta.url), {
    type: 'module',
    name: 'data',
  });
  return connect<DataWorkerApi>(hearRequests(worker, 'data worker'), { name: 'data worker' });
}

export function connectPlanner(): Connection<PlanApi> {
  const worker = new Worker(new URL('../workers/plan/plan-worker.ts', import.meta.url), {
    type: 'module',
    name: 'planner',
  });
  return connect<PlanApi>(hearRequests(worker, 'planner'), { name: 'planner' });
}

/**
 * A worker that asks the Hub. A script of its own address would come with the policy of its server; one of text has that of the page
 * (hub/hub-policy.ts), on every host.
 */
function withPolicyOfPage(script: string, name: string): Worker {
  const text = `import ${JSON.stringify(new URL(script, document.baseURI).href)};`;
  const address = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }));
  return new Worker(address, { type: 'module', name });
}

export function connectDownloads(): Connection<DownloadApi> {
  const worker = withPolicyOfPage(downloadScript, 'downloads');
  return connect<DownloadApi>(hearRequests(worker, 'download worker'), { name: 'download worker' });
}

export function connectUploads(): Connection<UploadApi> {
  const worker = withPolicyOfPage(uploadScript, 'uploads');
  return connect<UploadApi>(hearRequests(worker, 'upload worker'), { name: 'upload worker' });
}

/** Runs the person's rewards. */
export function connectCode(): Connection<RewardApi> {
  const worker = new Worker(new URL('../workers/reward/reward-worker.ts', import.meta.url), {
    type: 'module',
    name: 'rewards',
  });
  return connect<RewardApi>(hearRequests(worker, 'reward worker'), { name: 'reward worker' });
}
